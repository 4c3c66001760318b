/** The tools of a rich text: marks, list, link. */

import { element, iconButton } from "pq/element";

const MARKS = [["bold", "B", "Bold"], ["italic", "I", "Italic"], ["underline", "U", "Underline"], ["strike", "S", "Strike"]];
const LISTS = [["bulletList", "lists", "List"], ["orderedList", "numbers", "Numbered list"]];

/**
 * @param {object} state shared with the face: `editor` once it is there; `onEditorState` is set here
 * @returns {{tools: HTMLElement, linkRow: HTMLElement}} the buttons, and the row that opens for a link's address
 */
export function textTools(state) {
  const toggle = (name, button, act) => {
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", act);
    return [name, button];
  };
  const pressed = [
    ...MARKS.map(([mark, letter, label]) => {
      const button = element("button", { type: "button", className: `btn quiet s icon mark-${mark}`, textContent: letter });
      button.setAttribute("aria-label", label);
      return toggle(mark, button, () => state.editor?.chain().focus().toggleMark(mark).run());
    }),
    ...LISTS.map(([type, name, label]) => toggle(type, iconButton(name, label, () => {}, "btn quiet s icon"), () => state.editor?.chain().focus().toggleList(type, "listItem").run())),
  ];

  const input = element("input", { className: "input s", placeholder: "https://", spellcheck: false, maxLength: 2000 });
  input.setAttribute("aria-label", "Address of the link");
  const apply = element("button", { type: "button", className: "btn s", textContent: "Set link" });
  const linkRow = element("div", { hidden: true }, input, apply);
  const link = iconButton("link", "Link", () => {
    linkRow.hidden = !linkRow.hidden;
    link.setAttribute("aria-expanded", String(!linkRow.hidden));
    input.value = state.editor?.getAttributes("link").href ?? "";
    if (!linkRow.hidden) input.focus();
  }, "btn quiet s icon");
  link.setAttribute("aria-expanded", "false");

  function setLink() {
    const chain = state.editor.chain().focus().extendMarkRange("link");
    const href = input.value.trim();
    if (href) chain.setMark("link", { href }).run();
    else chain.unsetMark("link").run();
    linkRow.hidden = true;
    link.setAttribute("aria-expanded", "false");
  }
  apply.addEventListener("click", setLink);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    setLink();
  });
  state.onEditorState = () => {
    for (const [name, button] of pressed) button.setAttribute("aria-pressed", String(state.editor?.isActive(name) ?? false));
  };
  return { tools: element("span", { className: "row nowrap-f marks" }, ...pressed.map(([, button]) => button), link), linkRow };
}
