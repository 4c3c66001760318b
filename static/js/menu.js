/** Menus are popovers; this places them beside their button and moves the keyboard through their entries. */

const GAP = 6;
const ENTRIES = "a[href], button:not([disabled])";

function place(menu, button) {
  const anchor = button.getBoundingClientRect();
  const box = menu.getBoundingClientRect();
  const fitsBelow = anchor.bottom + GAP + box.height <= innerHeight;
  const top = fitsBelow ? anchor.bottom + GAP : Math.max(GAP, anchor.top - GAP - box.height);
  const preferred = menu.dataset.menu === "end" ? anchor.right - box.width : anchor.left;
  const left = Math.min(Math.max(GAP, preferred), innerWidth - box.width - GAP);
  menu.style.setProperty("inset", `${top}px auto auto ${left}px`);
}

/** Wire every `[popover][data-menu]`; `data-menu="end"` aligns to the button's right edge. */
export function startMenus() {
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLElement) || !menu.hasAttribute("data-menu")) return;
    const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
    if (event.newState !== "open") return;
    if (button) place(menu, button);
    menu.querySelector(`[aria-current], ${ENTRIES}`)?.focus({ preventScroll: true });
  }, true);

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("[data-menu]:popover-open");
    if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    const entries = [...menu.querySelectorAll(ENTRIES)];
    const at = entries.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
    entries[(next + entries.length) % entries.length]?.focus();
    event.preventDefault();
  });
}
