/**
 * The block editor: shows the body as it will look, and edits it in place.
 *
 * A block is chosen by putting the focus into it; its inspector opens below. Moving works by buttons, by Alt+arrow
 * keys and by dragging the grip.
 */

import { element, iconButton } from "pq/element";
import { icon } from "pq/icon";
import { arrangement } from "pq/campaigns/arrangement";
import { KINDS, locate } from "pq/campaigns/blocks";
import { blockDrag } from "pq/campaigns/drag";
import { editorPool } from "pq/campaigns/editors";
import { blockFaces } from "pq/campaigns/faces";
import { inspectorOf } from "pq/campaigns/inspector";
import { insertTag } from "pq/campaigns/rich_text";
import { textTools } from "pq/campaigns/text_tools";

const RICH = new Set(["text", "quote"]);
/** Their content takes the focus itself. */
const FOCUSABLE = new Set(["heading", "text", "quote"]);

/**
 * @param {HTMLElement} root
 * @param {import("pq/campaigns/document").MailDocument} mail
 * @param {{editorUrl: string, canEdit: boolean, directory: object, networks: string[], tagPicker: object, pickKind: (anchor: Element, options: object) => Promise<string|undefined>, say: (words: string) => void, aid: object|null}} options
 */
export function blockCanvas(root, mail, { editorUrl, canEdit, directory, networks, tagPicker, pickKind, say, aid }) {
  let chosen = null;
  const blocks = arrangement(mail, { say, onFocus: (id) => { chosen = id; } });
  const editors = editorPool({ editorUrl, canEdit, directory, tagPicker });
  const faces = blockFaces({
    editors,
    canEdit,
    directory,
    setField: blocks.setField,
    onTag: tagPicker.edit,
    onSlash: replaceEmpty,
    drawBlock: draw,
    columnEnd: (block, number) => addButton(`Add a block to column ${number + 1}`, (all) => {
      const [found, at] = locate(all, block.id);
      const target = found[at].columns[number];
      return [target, target.length];
    }, { isNested: true, column: [block.id, number] }),
  });

  const wrapOf = (id) => root.querySelector(`[data-block="${CSS.escape(id)}"]`);

  async function insert(anchor, place, options) {
    const type = await pickKind(anchor, options);
    if (type) blocks.insert(type, place);
  }

  /** "/" in an empty text: choose what it becomes. */
  async function replaceEmpty(id) {
    const isNested = locate(mail.content.body, id)[0] !== mail.content.body;
    const type = await pickKind(wrapOf(id), { isNested });
    if (type) blocks.exchange(id, type);
    else wrapOf(id)?.takeFocus();
  }

  function addButton(label, place, options = {}) {
    const button = element("button", { type: "button", className: "add" }, icon("plus", "s"), element("span", { className: "vh", textContent: label }));
    button.setAttribute("aria-haspopup", "true");
    button.addEventListener("click", () => insert(button, place, options));
    if (options.column) button.dataset.column = options.column.join(":");
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
    if (!FOCUSABLE.has(block.type)) face.tabIndex = 0;
    if (canEdit) face.append(grip(block, kind));
    face.append(faces[block.type](block, state));
    wrap.append(face);
    if (!canEdit) return wrap;
    let bar = null;
    wrap.setChosen = (isChosen) => {
      if (isChosen && !bar) {
        bar = inspector(block.id, kind, state, face);
        wrap.append(bar);
        state.onEditorState?.();
      }
      wrap.classList.toggle("pickd", isChosen);
      face.classList.toggle("sel", isChosen);
      if (bar) bar.hidden = !isChosen;
    };
    wrap.takeFocus = () => {
      state.wantsFocus = true;
      if (state.editor) state.editor.commands.focus("end");
      else if (!FOCUSABLE.has(block.type)) face.focus();
      else face.querySelector("textarea")?.focus();
    };
    return wrap;
  }

  function grip(block, kind) {
    const name = kind.label.toLowerCase();
    const up = iconButton("chevron-up", `Move ${name} block up`, () => blocks.move(block.id, -1), "only-chosen");
    const drag = iconButton("grip", `Choose ${name} block; drag to move`, () => choose(block.id, { focus: true }));
    const down = iconButton("chevron-down", `Move ${name} block down`, () => blocks.move(block.id, 1), "only-chosen");
    drag.dataset.handle = "";
    return element("span", { className: "grip" }, up, drag, down);
  }

  function inspector(id, kind, state, face) {
    const block = blocks.current(id);
    const name = kind.label.toLowerCase();
    const set = (field, value) => {
      blocks.setField(id, field, value);
      if (field === "align") face.className = face.className.replace(/align-\w+/, `align-${value}`);
      state.refresh?.(blocks.current(id));
    };
    const { compact, wide } = inspectorOf(kind, block, set, { networks, editors });
    const first = element("div", {}, element("span", { className: "chip accent", textContent: kind.label }), ...compact);
    const bar = element("div", { className: "inspect" }, first);
    if (RICH.has(block.type)) {
      const { tools, linkRow } = textTools(state);
      first.append(tools);
      bar.append(linkRow);
    }
    if (RICH.has(block.type) || block.type === "heading") first.append(tagButton(state));
    if (block.type === "columns") first.append(...columnTools(block));
    first.append(element("span", { className: "push row nowrap-f" },
      iconButton("copy", `Copy ${name} block`, () => blocks.duplicate(id), "btn quiet s icon"),
      iconButton("trash", `Remove ${name} block`, () => blocks.remove(id), "btn quiet s icon")));
    if (wide.length) bar.append(element("div", { className: "inspect-fields" }, ...wide));
    bar.append(...(aid?.rowsOf(block, state) ?? []));
    return bar;
  }

  function tagButton(state) {
    const button = element("button", { type: "button", className: "btn quiet s", textContent: "{{ Merge tag" });
    button.setAttribute("aria-haspopup", "true");
    button.addEventListener("click", async () => {
      const tag = await tagPicker.pick(button);
      if (tag && state.editor) tagPicker.edit(state.editor, insertTag(state.editor, tag), { isNew: true });
    });
    return button;
  }

  function columnTools(block) {
    const group = element("div", { className: "seg", role: "group" });
    group.setAttribute("aria-label", "Number of columns");
    for (const count of [2, 3]) {
      const button = element("button", { type: "button", textContent: String(count) });
      button.setAttribute("aria-pressed", String(block.columns.length === count));
      button.addEventListener("click", () => blocks.setColumns(block.id, count));
      group.append(button);
    }
    const swaps = block.columns.slice(1).map((_column, number) =>
      iconButton("swap", `Exchange columns ${number + 1} and ${number + 2}`, () => blocks.swapColumns(block.id, number), "btn quiet s icon"));
    return [group, ...swaps];
  }

  // --- the whole canvas ------------------------------------------------------------------------------------------
  function choose(id, { focus = false } = {}) {
    chosen = id;
    for (const wrap of root.querySelectorAll("[data-block]")) wrap.setChosen?.(wrap.dataset.block === id);
    if (focus && id) wrapOf(id)?.takeFocus?.();
  }

  function render({ focus = false } = {}) {
    editors.clear();
    const body = mail.content.body;
    const children = body.map((block) => draw(block));
    if (body.length === 0) {
      children.push(element("p", { className: "mut sm canvas-empty", textContent: canEdit ? "An empty mail. Start from a draft, or add a block." : "This mail is empty." }));
    }
    if (canEdit) children.push(addButton("Add a block", (all) => [all, all.length]));
    root.replaceChildren(...children);
    if (chosen && locate(body, chosen)) choose(chosen, { focus });
    else chosen = null;
  }

  if (canEdit) {
    root.addEventListener("focusin", (event) => {
      // Pressing a grip may begin a drag: opening the inspector then would move everything under the pointer.
      if (event.target.closest(".grip") && !event.target.matches(":focus-visible")) return;
      const wrap = event.target.closest("[data-block]");
      if (wrap && wrap.dataset.block !== chosen) choose(wrap.dataset.block);
    });
    root.addEventListener("keydown", (event) => {
      const wrap = event.target.closest("[data-block]");
      if (!wrap || !event.altKey || event.ctrlKey || event.metaKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      blocks.move(wrap.dataset.block, event.key === "ArrowUp" ? -1 : 1);
    });
    blockDrag(root, blocks);
  }

  return {
    render,
    /** Ask for a kind of block and put it after the chosen one, or at the end. */
    add: (anchor) => insert(anchor, (all) => {
      const at = all.findIndex((block) => block.id === chosen || block.columns?.flat().some((inner) => inner.id === chosen));
      return [all, at < 0 ? all.length : at + 1];
    }),
  };
}
