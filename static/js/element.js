/** Making elements in scripts: short enough that nobody reaches for innerHTML. */

import { icon } from "pq/icon";

/**
 * @param {string} name tag name
 * @param {object} [props] properties of the element, not attributes
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function element(name, props = {}, ...children) {
  const made = Object.assign(document.createElement(name), props);
  made.append(...children);
  return made;
}

/** A button that shows an icon only. */
export function iconButton(name, label, act, className = "") {
  const button = element("button", { type: "button", className }, icon(name, "s"));
  button.setAttribute("aria-label", label);
  button.addEventListener("click", act);
  return button;
}

/** A labelled input of a form. */
export function labelled(label, control, { hint = "", isOptional = false } = {}) {
  control.id ||= `field-${++labelled.serial}`;
  const words = element("label", { htmlFor: control.id, textContent: label });
  if (isOptional) words.append(" ", element("span", { className: "optional", textContent: "optional" }));
  const field = element("div", { className: "field" }, words, control);
  if (hint) {
    const note = element("span", { className: "hint", id: `${control.id}-h`, textContent: hint });
    control.setAttribute("aria-describedby", note.id);
    field.append(note);
  }
  return field;
}
labelled.serial = 0;
