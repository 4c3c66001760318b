/** The command palette: pages, actions and records by name, opened with Ctrl K, Cmd K or the search button. */

import { debounce } from "pq/forms";
import { get } from "pq/http";
import { icon } from "pq/icon";

const SHORTEST_SEARCH = 2;

/** What the server offers: {entries: [{label, icon, url, keys}], searches: [{icon, api, page, names, hint}]}. */
export const paletteData = () =>
  JSON.parse(document.getElementById("palette-data")?.textContent || '{"entries": [], "searches": []}');

/**
 * Entries that contain every word of the query, those that start with it first.
 *
 * @param {{label: string}[]} entries
 * @param {string} query
 */
export function match(entries, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const score = ({ label }) => {
    const name = label.toLowerCase();
    if (!words.every((word) => name.includes(word))) return 0;
    return name.startsWith(words[0] ?? "") ? 2 : 1;
  };
  return entries.map((entry) => [score(entry), entry]).filter(([points]) => points).sort(([a], [b]) => b - a).map(([, entry]) => entry);
}

/** Ask one search of the API; a role that may not look, or a lost connection, simply finds nothing. */
async function find({ icon: name, api, page, names, hint }, query, signal) {
  try {
    const { results } = await get(api + encodeURIComponent(query), { signal });
    return results.map((record) => ({
      label: names.map((field) => record[field]).find(Boolean) ?? "",
      hint: record[hint] ?? "",
      icon: name,
      url: page.replace("{id}", record.id),
    }));
  } catch {
    return [];
  }
}

let asking = new AbortController();

const searchSoon = debounce(async (dialog, query) => {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const found = await Promise.all(paletteData().searches.map((search) => find(search, query, signal)));
  if (!signal.aborted) draw(dialog, query, found.flat());
}, 180);

/** Open the palette. */
export function openPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog || dialog.open) return;
  dialog.showModal();
  const input = dialog.querySelector("input");
  input.value = "";
  draw(dialog, "");
  input.focus();
}

function draw(dialog, query, records = []) {
  const list = dialog.querySelector("[role=listbox]");
  const input = dialog.querySelector("input");
  const found = [...match(paletteData().entries, query), ...records];
  list.replaceChildren(...found.map((entry, at) => {
    const option = document.createElement("li");
    option.id = `palette-${at}`;
    option.role = "option";
    option.dataset.url = entry.url;
    option.append(icon(entry.icon, "s"), Object.assign(document.createElement("span"), { className: "grow cut", textContent: entry.label }));
    if (entry.hint) option.append(Object.assign(document.createElement("small"), { className: "dim", textContent: entry.hint }));
    if (entry.keys) option.append(Object.assign(document.createElement("kbd"), { textContent: entry.keys }));
    return option;
  }));
  dialog.querySelector(".palette-none").hidden = found.length > 0;
  select(list, input, 0);
}

function select(list, input, at) {
  const options = [...list.children];
  const chosen = options.length ? (at + options.length) % options.length : -1;
  options.forEach((option, index) => option.setAttribute("aria-selected", String(index === chosen)));
  input.setAttribute("aria-expanded", String(chosen >= 0));
  if (chosen < 0) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", options[chosen].id);
  options[chosen].scrollIntoView({ block: "nearest" });
}

export function startPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const list = dialog.querySelector("[role=listbox]");
  const input = dialog.querySelector("input");
  const chosen = () => [...list.children].findIndex((option) => option.getAttribute("aria-selected") === "true");
  const go = (option) => { if (option) location.assign(option.dataset.url); };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-palette]")) {
      event.target.closest("[popover]")?.hidePopover();
      openPalette();
    }
    if (event.target === dialog) dialog.close();
  });
  input.addEventListener("input", () => {
    const query = input.value.trim();
    asking.abort();
    draw(dialog, query);
    if (query.length >= SHORTEST_SEARCH) searchSoon(dialog, query);
    else searchSoon.cancel();
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { select(list, input, chosen() + step); event.preventDefault(); }
    if (event.key === "Enter") { go(list.children[chosen()]); event.preventDefault(); }
  });
  list.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
}
