/**
 * Single-key shortcuts (WCAG 2.1.4: they can be switched off) and the sheet that lists them.
 *
 * Pages add their own with `addShortcut("e", "Edit", () => …)`; "g c" means g, then c.
 */

import { paletteData } from "pq/palette";

const OFF = "pq:shortcuts-off";
const PATIENCE = 1200;
const shortcuts = new Map();

const isOn = () => localStorage.getItem(OFF) === null;
const isTyping = (element) => element.closest?.("input, textarea, select, [contenteditable], dialog[open]") !== null;

/**
 * @param {string} keys one key, or two with a space between
 * @param {string} label what it does, for the sheet
 * @param {() => void} run
 */
export function addShortcut(keys, label, run) {
  shortcuts.set(keys, { label, run });
}

function list(sheet) {
  const rows = [["Ctrl K", { label: "Search and commands" }], ...shortcuts, ["?", { label: "This sheet" }]];
  sheet.querySelector("[data-shortcut-list]").replaceChildren(...rows.map(([keys, { label }]) => {
    const row = document.createElement("div");
    const value = document.createElement("dd");
    value.append(...keys.split(" ").map((key) => Object.assign(document.createElement("kbd"), { textContent: key })));
    row.append(Object.assign(document.createElement("dt"), { textContent: label }), value);
    return row;
  }));
}

/** Rows of lists and tables carry their name as `a.title`; moving the focus is enough, Enter follows the link. */
function stepRow(step) {
  const rows = [...document.querySelectorAll("main a.title")];
  const at = rows.indexOf(document.activeElement);
  rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
}

function openSheet() {
  const sheet = document.getElementById("shortcuts");
  if (!sheet || sheet.open) return;
  list(sheet);
  const toggle = sheet.querySelector("[data-shortcut-toggle]");
  toggle.checked = isOn();
  toggle.onchange = () => (toggle.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"));
  sheet.showModal();
}

export function startShortcuts() {
  for (const entry of paletteData().entries) {
    if (entry.keys) addShortcut(entry.keys, entry.label, () => location.assign(entry.url));
  }
  addShortcut("j", "Next row", () => stepRow(1));
  addShortcut("k", "Row before", () => stepRow(-1));
  addShortcut("/", "Search this page", () => document.querySelector("[type=search], input[name=q]")?.focus());

  let first = "";
  let timer;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    if (event.key === "?") return openSheet();
    if (!isOn()) return;
    const keys = first ? `${first} ${event.key}` : event.key;
    clearTimeout(timer);
    first = "";
    const found = shortcuts.get(keys) ?? shortcuts.get(event.key);
    if (found) {
      event.preventDefault();
      found.run();
    } else if ([...shortcuts.keys()].some((known) => known.startsWith(`${event.key} `))) {
      first = event.key;
      timer = setTimeout(() => { first = ""; }, PATIENCE);
    }
  });
}
