/** Tabs inside a page: `role=tablist` with `role=tab` buttons whose `aria-controls` name the panels. */

/** @param {HTMLElement} tab the tab to show */
export function showTab(tab) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const isChosen = other === tab;
    other.setAttribute("aria-selected", String(isChosen));
    other.tabIndex = isChosen ? 0 : -1;
    const panel = document.getElementById(other.getAttribute("aria-controls"));
    if (panel) panel.hidden = !isChosen;
  }
  tab.dispatchEvent(new CustomEvent("tab-shown", { bubbles: true }));
}

export function startTabs() {
  // A row of tabs may be wider than a phone: the current one is the one to see.
  for (const current of document.querySelectorAll(".tabs [aria-current]")) {
    const row = current.closest(".tabs");
    row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.clientWidth) / 2;
  }

  document.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) showTab(tab);
  });
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("[role=tab]");
    if (!tab || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const at = tabs.indexOf(tab);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    const chosen = tabs[(next + tabs.length) % tabs.length];
    showTab(chosen);
    chosen.focus();
    event.preventDefault();
  });
}
