/** A menu with a search, shared by many buttons: the kinds of blocks. */

import { element } from "pq/element";
import { icon } from "pq/icon";

const GAP = 6;

/** Put an open popover below what it belongs to (above it where that is asked for or below is no room), inside the window. */
export function placeBeside(popover, anchor, { isAbove = false } = {}) {
  const at = anchor.getBoundingClientRect();
  const box = popover.getBoundingClientRect();
  const fitsAbove = at.top - GAP - box.height >= 0;
  const fitsBelow = at.bottom + GAP + box.height <= innerHeight;
  const top = fitsBelow && !(isAbove && fitsAbove) ? at.bottom + GAP : Math.max(GAP, at.top - GAP - box.height);
  const left = Math.min(Math.max(GAP, at.left), innerWidth - box.width - GAP);
  popover.style.setProperty("inset", `${top}px auto auto ${left}px`);
}

function entryButton(entry, choose) {
  const words = element("span", { className: "grow cut", textContent: entry.label });
  if (entry.hint) words.append(element("small", { textContent: entry.hint }));
  const button = element("button", { type: "button", className: "menu-item" }, ...(entry.icon ? [icon(entry.icon, "s")] : []), words);
  button.setAttribute("aria-label", entry.label);
  button.addEventListener("click", () => choose(entry));
  return button;
}

/**
 * Fill a list with entries that a search box narrows down; arrow keys move through them, Enter takes the first.
 *
 * @param {HTMLInputElement} search
 * @param {HTMLElement} list
 * @param {{label: string, hint?: string, words?: string, icon?: string, value: any}[]} entries
 * @param {(entry: object) => void} choose
 * @returns {(isAllowed?: (entry: object) => boolean) => void} shows all of them again
 */
export function searchableList(search, list, entries, choose) {
  const rows = entries.map((entry) => ({ entry, button: entryButton(entry, choose), words: `${entry.label} ${entry.hint ?? ""} ${entry.words ?? ""}`.toLowerCase() }));
  const none = element("p", { className: "sm mut menu-none", textContent: "Nothing of that name." });
  let allowed = () => true;
  list.replaceChildren(...rows.map((row) => row.button), none);

  function narrow() {
    const wanted = search.value.trim().toLowerCase();
    for (const row of rows) row.button.hidden = !allowed(row.entry) || !row.words.includes(wanted);
    none.hidden = rows.some((row) => !row.button.hidden);
  }
  search.addEventListener("input", narrow);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
    const first = rows.find((row) => !row.button.hidden);
    if (!first) return;
    if (event.key === "Enter") first.button.click();
    else if (event.key === "ArrowDown") {
      event.preventDefault();
      event.stopPropagation();
      first.button.focus();
    }
  });
  list.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const shown = rows.map((row) => row.button).filter((button) => !button.hidden);
    const next = shown.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    (shown[next] ?? (next < 0 ? search : shown.at(-1))).focus();
  });
  return (isAllowed = () => true) => {
    allowed = isAllowed;
    search.value = "";
    narrow();
  };
}

/**
 * @param {{id: string, label: string, entries: object[]}} options
 * @returns {(anchor: Element, options?: {isAllowed?: (entry: object) => boolean}) => Promise<any>} opens it beside an
 *   element; gives the chosen value, or undefined
 */
export function pickMenu({ id, label, entries }) {
  let settle = null;
  let opener = null;
  const search = element("input", { className: "input s", type: "search", placeholder: "Find", autocomplete: "off" });
  search.setAttribute("aria-label", `Find in: ${label}`);
  const list = element("div", { className: "menu-list" });
  const menu = element("div", { className: "menu pick-menu", id, popover: "auto" }, search, list);
  menu.setAttribute("role", "group");
  menu.setAttribute("aria-label", label);
  (document.querySelector("main") ?? document.body).append(menu);
  const reset = searchableList(search, list, entries, (entry) => {
    const done = settle;
    settle = null;
    menu.hidePopover();
    done?.(entry.value);
  });
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    opener?.removeAttribute("aria-expanded");
    settle?.(undefined);
    settle = null;
  });

  return (anchor, { isAllowed } = {}) => new Promise((resolve) => {
    settle?.(undefined);
    settle = resolve;
    opener = anchor.matches("button") ? anchor : null;
    opener?.setAttribute("aria-expanded", "true");
    reset(isAllowed);
    menu.showPopover();
    placeBeside(menu, anchor);
    search.focus({ preventScroll: true });
  });
}
