/**
 * The block editor: shows the body as it will look, and edits it in place.
 *
 * A block is chosen by putting the focus into it; its inspector opens below. Moving works by buttons, by Alt+arrow
 * keys and by dragging the grip.
 */

import { icon } from "pq/icon";
import { KINDS, copyBlock, locate, makeBlock } from "pq/campaigns/blocks";
import { inspectorOf } from "pq/campaigns/inspector";
import { loadEditor, richText } from "pq/campaigns/rich_text";

function element(name, props = {}, ...children) {
  const made = Object.assign(document.createElement(name), props);
  made.append(...children);
  return made;
}

function iconButton(name, label, act, className = "") {
  const button = element("button", { type: "button", className }, icon(name, "s"));
  button.setAttribute("aria-label", label);
  button.addEventListener("click", act);
  return button;
}

/** A text box that grows with its text. */
function growing(value, label, className, onInput) {
  const box = element("textarea", { value, className, rows: 1, maxLength: 300 });
  box.setAttribute("aria-label", label);
  box.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  box.addEventListener("input", () => onInput(box.value.replace(/\n/g, " ")));
  return box;
}

/**
 * @param {HTMLElement} root
 * @param {import("pq/campaigns/document").MailDocument} mail
 * @param {{editorUrl: string, canEdit: boolean, tags: object[], networks: string[], pickTag: Function, pickKind: Function, say: Function}} options
 */
export function blockCanvas(root, mail, { editorUrl, canEdit, tags, networks, pickTag, pickKind, say }) {
  const fallbacks = new Map(tags.map((tag) => [tag.name, tag.fallback]));
  const describe = (name) => ({ fallback: fallbacks.get(name) ?? "" });
  let editors = [];
  let chosen = null;
  let drawing = 0;

  const body = () => mail.content.body;
  const setField = (id, name, value) => mail.change(`${id}.${name}`, (content) => {
    const found = locate(content.body, id);
    if (found) found[0][found[1]][name] = value;
  });

  function structural(edit, focusId) {
    chosen = focusId ?? chosen;
    mail.change("structure", (content) => edit(content.body), { isStructural: true });
  }

  function move(id, by) {
    const [list, index] = locate(body(), id);
    const to = index + by;
    if (to < 0 || to >= list.length) return;
    structural((blocks) => {
      const [found, at] = locate(blocks, id);
      found.splice(to, 0, ...found.splice(at, 1));
    }, id);
    say(`Moved to place ${to + 1} of ${list.length}`);
  }

  function moveBefore(id, targetId) {
    if (id === targetId) return;
    structural((blocks) => {
      const [from, at] = locate(blocks, id);
      const [block] = from.splice(at, 1);
      const target = locate(blocks, targetId);
      if (!target || (block.columns && target[0] !== blocks)) from.splice(at, 0, block);
      else target[0].splice(target[1], 0, block);
    }, id);
  }

  function remove(id) {
    const [list, index] = locate(body(), id);
    const neighbour = list[index + 1] ?? list[index - 1];
    structural((blocks) => {
      const [found, at] = locate(blocks, id);
      found.splice(at, 1);
    }, neighbour?.id ?? null);
    say("Removed. Undo brings it back.");
  }

  function duplicate(id) {
    const [list, index] = locate(body(), id);
    const copied = copyBlock(list[index]);
    structural((blocks) => {
      const [found, at] = locate(blocks, id);
      found.splice(at + 1, 0, copied);
    }, copied.id);
  }

  /** Ask for a kind and insert a block; `place` finds the list and index in the body it is given. */
  async function insert(button, place, { isNested = false } = {}) {
    const type = await pickKind(button, isNested);
    if (!type) return;
    const block = makeBlock(type);
    structural((blocks) => {
      const [list, at] = place(blocks);
      list.splice(at, 0, block);
    }, block.id);
  }

  // --- how each kind looks ---------------------------------------------------------------------------------------
  const faces = {
    heading: (block) => growing(block.text, "Heading", `block-heading level-${block.level}`, (text) => setField(block.id, "text", text)),
    text: (block, state) => richFace(block, "Text", state),
    quote: (block, state) => {
      const quote = element("blockquote", {}, richFace(block, "Quote", state));
      const who = element("p", { className: "mut sm", textContent: block.attribution });
      state.refresh = () => { who.textContent = block.attribution; };
      quote.append(who);
      return quote;
    },
    button: (block, state) => {
      const face = element("span", { className: "cta", textContent: block.label || "Button" });
      state.refresh = () => { face.textContent = block.label || "Button"; };
      return face;
    },
    image: (block, state) => {
      const face = element("div", { className: "picture" });
      state.refresh = () => {
        if (!/^https?:\/\//.test(block.src)) {
          face.replaceChildren(icon("image"), element("span", { className: "xs", textContent: "Give the picture an address below" }));
          return;
        }
        face.replaceChildren(element("img", { src: block.src, alt: block.alt, className: "art", loading: "lazy", referrerPolicy: "no-referrer" }));
      };
      state.refresh();
      return face;
    },
    divider: () => element("hr"),
    spacer: (block, state) => {
      const face = element("div", { className: "space xs dim" });
      state.refresh = () => {
        face.style.setProperty("height", `${block.height}px`);
        face.textContent = `${block.height} px`;
      };
      state.refresh();
      return face;
    },
    social: (block, state) => {
      const face = element("p", { className: "sm row" });
      state.refresh = () => face.replaceChildren(...block.links.map((link) => element("span", { className: "chip", textContent: link.network })));
      state.refresh();
      return face;
    },
    product: (block, state) => {
      const face = element("div", { className: "stack tight" });
      state.refresh = () => {
        face.replaceChildren(
          ...(/^https?:\/\//.test(block.image) ? [element("img", { src: block.image, alt: "", className: "art", loading: "lazy", referrerPolicy: "no-referrer" })] : []),
          element("b", { textContent: block.title || "Product" }),
          ...[block.text, block.price].filter(Boolean).map((textContent) => element("span", { className: "sm", textContent })),
          ...(block.label ? [element("span", { className: "cta", textContent: block.label })] : []),
        );
      };
      state.refresh();
      return face;
    },
    html: (block, state) => {
      const face = element("pre", { className: "code-face xs" });
      state.refresh = () => { face.textContent = block.html || "Empty HTML block"; };
      state.refresh();
      return face;
    },
    columns: (block) => element("div", { className: "block-columns" }, ...block.columns.map((column, number) => {
      const list = element("div", { className: "stack tight" }, ...column.map((inner) => draw(inner)));
      if (canEdit) {
        list.append(addButton(`Add a block to column ${number + 1}`, (blocks) => {
          const [found, at] = locate(blocks, block.id);
          const target = found[at].columns[number];
          return [target, target.length];
        }, { isNested: true }));
      }
      return list;
    })),
  };

  function richFace(block, label, state) {
    const host = element("div", { className: "rich" });
    const mine = drawing;
    loadEditor(editorUrl).then((tools) => {
      if (mine !== drawing) return;
      const editor = richText(tools, host, {
        html: block.html,
        label,
        isEditable: canEdit,
        describe,
        onChange: (html) => setField(block.id, "html", html),
        onState: () => state.onEditorState?.(),
      });
      editors.push(editor);
      state.editor = editor;
      state.whenReady?.(editor);
      if (chosen === block.id && state.wantsFocus) editor.commands.focus("end");
    }).catch(() => host.replaceChildren(fallbackBox(block, label)));
    return host;
  }

  /** Without the editor's code (offline, blocked) the HTML itself can be edited. */
  function fallbackBox(block, label) {
    const box = element("textarea", { className: "input", value: block.html, rows: 5, readOnly: !canEdit });
    box.setAttribute("aria-label", `${label}, as HTML`);
    box.addEventListener("input", () => setField(block.id, "html", box.value));
    return box;
  }

  function addButton(label, place, options) {
    const button = element("button", { type: "button", className: "add" }, icon("plus", "s"), element("span", { className: "vh", textContent: label }));
    button.setAttribute("aria-haspopup", "true");
    button.addEventListener("click", () => insert(button, place, options));
    return button;
  }

  // --- one block -------------------------------------------------------------------------------------------------
  function draw(block) {
    const kind = KINDS[block.type];
    const state = {};
    const wrap = element("div", { className: "block-wrap" });
    wrap.dataset.block = block.id;
    const face = element("div", { className: `block align-${block.align ?? "left"}` });
    face.setAttribute("role", "group");
    face.setAttribute("aria-label", `${kind.label} block`);
    const content = faces[block.type](block, state);
    const takesFocus = ["heading", "text", "quote", "columns"].includes(block.type);
    if (!takesFocus) face.tabIndex = 0;
    if (canEdit) face.append(grip(block, kind));
    face.append(content);
    wrap.append(face);
    if (!canEdit) {
      content.querySelectorAll?.("textarea").forEach((box) => { box.readOnly = true; });
      if (content instanceof HTMLTextAreaElement) content.readOnly = true;
      return wrap;
    }
    const bar = inspector(block, kind, state, face);
    bar.hidden = true;
    wrap.append(bar);
    wrap.choose = () => {
      wrap.classList.add("pickd");
      face.classList.add("sel");
      bar.hidden = false;
    };
    wrap.leave = () => {
      wrap.classList.remove("pickd");
      face.classList.remove("sel");
      bar.hidden = true;
    };
    wrap.takeFocus = () => {
      state.wantsFocus = true;
      if (state.editor) state.editor.commands.focus("end");
      else (face.querySelector("textarea") ?? face).focus();
    };
    return wrap;
  }

  function grip(block, kind) {
    const name = kind.label.toLowerCase();
    const up = iconButton("chevron-up", `Move ${name} block up`, () => move(block.id, -1), "only-chosen");
    const drag = iconButton("grip", `Choose ${name} block; drag to move`, () => choose(block.id, { focus: true }));
    const down = iconButton("chevron-down", `Move ${name} block down`, () => move(block.id, 1), "only-chosen");
    drag.draggable = true;
    drag.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData("application/x-block", block.id);
      event.dataTransfer.effectAllowed = "move";
    });
    return element("span", { className: "grip" }, up, drag, down);
  }

  function inspector(block, kind, state, face) {
    const set = (name, value) => {
      setField(block.id, name, value);
      block = current(block.id) ?? block;
      if (name === "align") face.className = face.className.replace(/align-\w+/, `align-${value}`);
      if (name === "level") face.querySelector(".block-heading")?.setAttribute("class", `block-heading level-${value}`);
      redrawFace(block, state);
    };
    const { compact, wide } = inspectorOf(kind, block, set, { networks });
    const first = element("div", {}, element("span", { className: "chip accent", textContent: kind.label }), ...compact);
    if (["text", "quote"].includes(block.type)) first.append(...textTools(state));
    if (["text", "quote", "heading", "button"].includes(block.type)) first.append(tagButton(block, state, face));
    first.append(element("span", { className: "push row nowrap-f" },
      iconButton("copy", `Copy ${kind.label.toLowerCase()} block`, () => duplicate(block.id), "btn quiet s icon"),
      iconButton("trash", `Remove ${kind.label.toLowerCase()} block`, () => remove(block.id), "btn quiet s icon")));
    const bar = element("div", { className: "inspect" }, first);
    if (state.linkRow) bar.append(state.linkRow);
    if (wide.length) bar.append(element("div", { className: "inspect-fields" }, ...wide));
    return bar;
  }

  const current = (id) => {
    const found = locate(body(), id);
    return found?.[0][found[1]];
  };

  function redrawFace(block, state) {
    if (!state.refresh) return;
    const latest = current(block.id);
    if (latest) Object.assign(state.block ??= block, latest);
    state.refresh();
  }

  const MARKS = [["bold", "B", "Bold"], ["italic", "I", "Italic"], ["underline", "U", "Underline"], ["strike", "S", "Strike"]];

  function textTools(state) {
    const buttons = MARKS.map(([mark, letter, label]) => {
      const button = element("button", { type: "button", className: `btn quiet s icon mark-${mark}`, textContent: letter });
      button.setAttribute("aria-label", label);
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => state.editor?.chain().focus().toggleMark(mark).run());
      return [mark, button];
    });
    const lists = [["bulletList", "lists", "List"]].map(([type, name, label]) => {
      const button = iconButton(name, label, () => state.editor?.chain().focus().toggleList(type, "listItem").run(), "btn quiet s icon");
      button.setAttribute("aria-pressed", "false");
      return [type, button];
    });
    const input = element("input", { className: "input s", placeholder: "https://", spellcheck: false, maxLength: 2000 });
    input.setAttribute("aria-label", "Address of the link");
    const apply = element("button", { type: "button", className: "btn s", textContent: "Set link" });
    const row = element("div", { hidden: true }, input, apply);
    const link = iconButton("link", "Link", () => {
      row.hidden = !row.hidden;
      input.value = state.editor?.getAttributes("link").href ?? "";
      if (!row.hidden) input.focus();
    }, "btn quiet s icon");
    link.setAttribute("aria-expanded", "false");
    const setLink = () => {
      const chain = state.editor.chain().focus().extendMarkRange("link");
      if (input.value.trim()) chain.setMark("link", { href: input.value.trim() }).run();
      else chain.unsetMark("link").run();
      row.hidden = true;
    };
    apply.addEventListener("click", setLink);
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); setLink(); } });
    state.linkRow = row;
    state.onEditorState = () => {
      for (const [mark, button] of [...buttons, ...lists]) button.setAttribute("aria-pressed", String(state.editor?.isActive(mark) ?? false));
      link.setAttribute("aria-expanded", String(!row.hidden));
    };
    return [element("span", { className: "row nowrap-f marks" }, ...buttons.map(([, button]) => button), ...lists.map(([, button]) => button), link)];
  }

  function tagButton(block, state, face) {
    const button = element("button", { type: "button", className: "btn quiet s", textContent: "{{ Merge tag" });
    button.setAttribute("aria-haspopup", "true");
    button.addEventListener("click", async () => {
      const name = await pickTag(button);
      if (!name) return;
      if (state.editor) {
        state.editor.chain().focus().insertContent({ type: "mergeTag", attrs: { name } }).run();
        return;
      }
      const box = face.querySelector("textarea") ?? button.closest(".inspect").querySelector("input");
      box?.setRangeText(`{{${name}}}`, box.selectionStart, box.selectionEnd, "end");
      box?.dispatchEvent(new Event("input", { bubbles: true }));
      box?.focus();
    });
    return button;
  }

  // --- the whole canvas ------------------------------------------------------------------------------------------
  function choose(id, { focus = false } = {}) {
    chosen = id;
    for (const wrap of root.querySelectorAll("[data-block]")) {
      const isChosen = wrap.dataset.block === id;
      if (isChosen) wrap.choose?.();
      else wrap.leave?.();
      if (isChosen && focus) wrap.takeFocus?.();
    }
  }

  function render({ focus = false } = {}) {
    drawing += 1;
    for (const editor of editors) editor.destroy();
    editors = [];
    const blocks = body();
    const children = blocks.map((block) => draw(block));
    if (blocks.length === 0) {
      children.push(element("p", { className: "mut sm canvas-empty", textContent: canEdit ? "An empty mail. Adopt an angle above, or add a block." : "This mail is empty." }));
    }
    if (canEdit) children.push(addButton("Add a block", (all) => [all, all.length]));
    root.replaceChildren(...children);
    if (chosen && locate(blocks, chosen)) choose(chosen, { focus });
    else chosen = null;
  }

  if (canEdit) {
    root.addEventListener("focusin", (event) => {
      const wrap = event.target.closest("[data-block]");
      if (wrap && wrap.dataset.block !== chosen) choose(wrap.dataset.block);
    });
    root.addEventListener("keydown", (event) => {
      const wrap = event.target.closest("[data-block]");
      if (!wrap || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      move(wrap.dataset.block, event.key === "ArrowUp" ? -1 : 1);
    });
    root.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("application/x-block")) return;
      event.preventDefault();
      const over = event.target.closest("[data-block]");
      for (const wrap of root.querySelectorAll(".drop-here")) wrap.classList.toggle("drop-here", wrap === over);
      over?.classList.add("drop-here");
    });
    root.addEventListener("drop", (event) => {
      const id = event.dataTransfer.getData("application/x-block");
      const target = event.target.closest("[data-block]");
      if (!id || !target) return;
      event.preventDefault();
      moveBefore(id, target.dataset.block);
    });
    root.addEventListener("dragend", () => root.querySelectorAll(".drop-here").forEach((wrap) => wrap.classList.remove("drop-here")));
  }

  return { render, addAtEnd: (button) => insert(button, (all) => [all, all.length]) };
}
