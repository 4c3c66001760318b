/**
 * Choosing a merge tag, and editing one that stands in a text: which value, and what to write when it is empty.
 *
 * Two popovers: a list with a search, and a small form at the chip.
 */

import { element, labelled } from "pq/element";
import { isCondition, tagWords } from "pq/campaigns/merge_tags";
import { pickMenu, placeBeside } from "pq/campaigns/pick_menu";
import { replaceTag } from "pq/campaigns/rich_text";

/** @param {ReturnType<import("pq/campaigns/merge_tags").tagDirectory>} directory */
export function tagPicker(directory) {
  const pickName = pickMenu({
    id: "tags-menu",
    label: "Merge tags",
    entries: directory.tags.map((tag) => ({
      label: tag.label,
      hint: tag.fallback ? `${tag.name} else “${tag.fallback}”` : tag.name,
      icon: "tag",
      value: tag.name,
    })),
  });

  const form = element("form", { className: "menu tag-form", id: "tag-form", popover: "auto", method: "dialog" });
  form.setAttribute("aria-label", "Merge tag");
  (document.querySelector("main") ?? document.body).append(form);
  let finish = null;
  /** Why the form closes: by its buttons, or ("") by Escape or a click elsewhere, which keeps what was typed too. */
  let outcome = "";
  function settle() {
    const doing = finish;
    finish = null;
    doing?.();
  }
  /** All at once: the "toggle" event comes a moment later, and what is typed in between would replace the chip. */
  function close(why) {
    outcome = why;
    form.hidePopover();
    settle();
  }
  form.addEventListener("submit", (event) => { event.preventDefault(); close("change"); });
  form.addEventListener("toggle", (event) => { if (event.newState === "closed") settle(); });

  /** What the form asks for a tag; the controls by name. */
  function fill(tag) {
    const choice = element("select", { className: "input s", name: "name" });
    const names = directory.isKnown(tag.name) ? directory.tags : [{ name: tag.name, label: `${tag.name} (unknown)` }, ...directory.tags];
    choice.append(...names.map((one) => element("option", { value: one.name, textContent: one.label, selected: one.name === tag.name })));
    const fallback = element("input", { className: "input s", name: "fallback", value: tag.fallback, maxLength: 200, autocomplete: "off", placeholder: directory.fieldFallback(tag.name) || "Nothing" });
    const before = element("input", { className: "input s", name: "before", value: tag.before, maxLength: 100, autocomplete: "off" });
    const after = element("input", { className: "input s", name: "after", value: tag.after, maxLength: 100, autocomplete: "off" });
    const around = element("details", { open: Boolean(tag.before || tag.after) },
      element("summary", { className: "btn quiet s", textContent: "Words that come and go with it" }),
      element("div", { className: "grid-2 mt" }, labelled("Before", before), labelled("After", after)));
    const reason = directory.reason(tag.name);
    form.replaceChildren(
      ...(reason ? [element("p", { className: "sm c-bounce", role: "alert", textContent: reason })] : []),
      labelled("Merge tag", choice),
      labelled("If it is empty, write", fallback),
      around,
    );
    return { choice, fallback, before, after };
  }

  /**
   * Edit the tag at a place of an editor.
   *
   * @param {object} editor
   * @param {number} at position of the chip
   * @param {{isNew?: boolean}} [options] a tag that was just put in: only asked when a fallback makes sense
   */
  function edit(editor, at, { isNew = false } = {}) {
    const node = editor.state.doc.nodeAt(at);
    const chip = editor.view.nodeDOM(at);
    if (node?.type.name !== "mergeTag" || !chip || isCondition(node.attrs.name)) return;
    if (isNew && (directory.fieldFallback(node.attrs.name) || directory.isSystem(node.attrs.name))) return;
    const { choice, fallback, before, after } = fill(node.attrs);
    outcome = "";
    const remove = element("button", { type: "button", className: "btn quiet s", textContent: "Remove" });
    remove.addEventListener("click", () => close("remove"));
    form.append(element("div", { className: "row" }, remove, element("button", { type: "submit", className: "btn primary s push", textContent: "Done" })));
    finish = () => {
      if (editor.isDestroyed) return;
      const changed = { name: choice.value, fallback: tagWords(fallback.value), before: tagWords(before.value), after: tagWords(after.value) };
      if (outcome === "remove") replaceTag(editor, at, null);
      else if (Object.entries(changed).some(([name, value]) => node.attrs[name] !== value)) replaceTag(editor, at, changed);
      if (!outcome) return;
      editor.view.focus(); // at once: the editor's own command does it with the next frame
      editor.commands.setTextSelection(at + (outcome === "remove" ? 0 : 1));
    };
    form.showPopover();
    placeBeside(form, chip);
    fallback.focus({ preventScroll: true });
  }

  return {
    edit,
    /** Ask for a tag. @returns {Promise<{name: string}|undefined>} */
    async pick(anchor) {
      const name = await pickName(anchor);
      return name && { name };
    },
  };
}
