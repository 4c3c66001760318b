/** Menus that many buttons share: the merge tags and the kinds of blocks. */

import { icon } from "pq/icon";

const GAP = 6;

/**
 * Fill a popover with entries.
 *
 * @param {HTMLElement} menu
 * @param {{label: string, hint?: string, icon?: string, value: any}[]} entries
 * @returns {(button: HTMLElement) => Promise<any>} opens it at a button; gives the chosen value, or undefined
 */
export function pickMenu(menu, entries) {
  let settle = null;
  let opener = null;
  menu.replaceChildren(...entries.map((entry) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "menu-item";
    const words = document.createElement("span");
    words.className = "grow cut";
    words.textContent = entry.label;
    if (entry.hint) words.append(Object.assign(document.createElement("small"), { textContent: entry.hint }));
    if (entry.icon) button.append(icon(entry.icon, "s"));
    button.append(words);
    button.addEventListener("click", () => {
      const done = settle;
      settle = null;
      menu.hidePopover();
      done?.(entry.value);
    });
    return button;
  }));
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    opener?.setAttribute("aria-expanded", "false");
    settle?.(undefined);
    settle = null;
  });

  return (button) => new Promise((resolve) => {
    settle?.(undefined);
    settle = resolve;
    opener = button;
    button.setAttribute("aria-expanded", "true");
    menu.showPopover();
    const anchor = button.getBoundingClientRect();
    const box = menu.getBoundingClientRect();
    const fitsBelow = anchor.bottom + GAP + box.height <= innerHeight;
    const top = fitsBelow ? anchor.bottom + GAP : Math.max(GAP, anchor.top - GAP - box.height);
    const left = Math.min(Math.max(GAP, anchor.left), innerWidth - box.width - GAP);
    menu.style.setProperty("inset", `${top}px auto auto ${left}px`);
    menu.querySelector("button")?.focus({ preventScroll: true });
  });
}
