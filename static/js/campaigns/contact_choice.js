/** "View as": a search for a contact, by address or name. */

import { debounce } from "pq/forms";
import { get } from "pq/http";

/**
 * @param {HTMLInputElement} input with a datalist beside it
 * @param {{url: string, sample: ?{id: string, email: string}, onChange: (id: string|null) => void}} options
 * @returns {{readonly id: string|null}} the contact that is chosen; null for one of whom nothing is known
 */
export function contactChoice(input, { url, sample, onChange }) {
  const choices = input.list;
  const found = new Map(sample ? [[sample.email, sample.id]] : []);
  let id = sample?.id ?? null;

  /** Take the contact whose address stands in the box; false when it names nobody we know of. */
  function choose() {
    const chosen = input.value.trim() === "" ? null : found.get(input.value.trim());
    if (chosen === undefined) return false;
    if (chosen !== id) {
      id = chosen;
      onChange(id);
    }
    return true;
  }

  const search = debounce(async () => {
    const text = input.value.trim();
    if (found.has(text)) return;
    const page = await get(`${url}?${new URLSearchParams({ q: text, limit: "8" })}`).catch(() => ({ results: [] }));
    choices.replaceChildren(...page.results.map((contact) => {
      const name = [contact.first_name, contact.last_name].filter(Boolean).join(" ");
      found.set(contact.email, contact.id);
      return Object.assign(document.createElement("option"), { value: contact.email, label: name });
    }));
    choose(); // an address that was typed whole is a choice too
  }, 250);

  input.addEventListener("input", () => { if (!choose()) search(); });
  input.addEventListener("focus", () => { if (choices.children.length === 0) search(); }, { once: true });
  return { get id() { return id; } };
}
