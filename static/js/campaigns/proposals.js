/**
 * Proposed values for a brief, each beside its field: taken, edited or cleared one by one or all at once.
 *
 * A proposal is only ever shown. It is part of the brief after a person took it, and not before.
 */

import { element } from "pq/element";
import { post } from "pq/http";
import { resultOf } from "pq/aiwriter/result";

const LISTS = new Set(["facts", "must_say", "must_not_say"]);
const count = (number) => `${number} proposal${number === 1 ? "" : "s"}`;

/**
 * @param {HTMLFormElement} form of templates/campaigns/_brief.html
 * @param {{onError: (error: Error) => void}} options
 */
export function proposals(form, { onError }) {
  const ask = form.querySelector("[data-propose]");
  const words = form.querySelector("[data-propose-text]");
  const bar = form.querySelector("[data-proposals]");
  const said = form.querySelector("[data-proposals-said]");
  const shown = new Map();
  let asking = null;

  const textOf = (name, value) => {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLSelectElement) return [...field.options].find((option) => option.value === value)?.textContent ?? "";
    return LISTS.has(name) ? value.join("\n") : value;
  };
  const isNews = (name, value) => {
    const field = form.elements.namedItem(name);
    if (!field || !textOf(name, value)) return false;
    const lines = field.value.split("\n").map((line) => line.trim().toLowerCase());
    return LISTS.has(name) ? value.some((line) => !lines.includes(line.toLowerCase())) : field.value !== value;
  };

  function settle(text) {
    bar.hidden = shown.size === 0 && !text;
    for (const button of bar.querySelectorAll("button")) button.hidden = shown.size === 0;
    said.textContent = text;
  }

  function remove(name) {
    shown.get(name)?.node.remove();
    shown.delete(name);
  }

  function take(name) {
    const { value } = shown.get(name);
    const field = form.elements.namedItem(name);
    if (LISTS.has(name)) {
      const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
      const known = new Set(lines.map((line) => line.toLowerCase()));
      field.value = [...lines, ...value.filter((line) => !known.has(line.toLowerCase()))].join("\n");
    } else {
      field.value = value;
    }
    remove(name);
    return field;
  }

  function offer(name, value, origin) {
    const field = form.elements.namedItem(name);
    const label = form.querySelector(`label[for="${field.id}"]`).firstChild.textContent.trim();
    const button = (text, act) => {
      const made = element("button", { type: "button", className: "btn quiet s", textContent: text });
      made.setAttribute("aria-label", `${text}: ${label}`);
      made.addEventListener("click", act);
      return made;
    };
    const node = element("div", { className: "proposal" },
      element("span", { className: "chip accent", textContent: origin }),
      element("span", { className: "text", dir: "auto", textContent: textOf(name, value) }),
      element("span", { className: "row" },
        button("Use", () => { take(name).focus(); settle(left()); }),
        button("Edit", () => { const taken = take(name); taken.focus(); taken.select?.(); settle(left()); }),
        button("Clear", () => { remove(name); field.focus(); settle(left()); })));
    field.closest(".field").append(node);
    shown.set(name, { value, node });
  }

  const left = () => (shown.size ? `${count(shown.size)} left. Nothing is used before you take it.` : "");

  function show({ proposed, left_out: leftOut }, origin) {
    for (const name of [...shown.keys()]) remove(name);
    for (const [name, value] of Object.entries(proposed)) {
      if (isNews(name, value)) offer(name, value, origin);
    }
    if (shown.size) form.querySelector("[data-brief-more]").open = true;
    const held = leftOut.length ? ` ${leftOut.length} held back, because your sentence does not say ${leftOut.length === 1 ? "it" : "them"}.` : "";
    settle(`${shown.size ? `${count(shown.size)}, from your own words. Nothing is used before you take it.` : "Nothing to propose: the sentence says no more than the brief."}${held}`);
    if (shown.size) bar.querySelector("[data-use-all]").focus();
  }

  async function propose() {
    if (asking) return;
    asking = new AbortController();
    ask.setAttribute("aria-disabled", "true");
    words.textContent = "Reading your sentence…";
    onError(null);
    try {
      const asked = await post("/v1/ai/briefs/propose", { goal: form.elements.goal.value.trim(), brand_voice: form.elements.brand_voice.value || null });
      const done = await resultOf(asked.id, { signal: asking.signal });
      if (done.status !== "succeeded") throw new Error(done.error_detail || "No proposal could be made.");
      show(done.result, done.ai_generated ? "Proposed" : "Proposed by rules");
    } catch (error) {
      if (!asking?.signal.aborted) onError(error);
    } finally {
      asking = null;
      ask.removeAttribute("aria-disabled");
      words.textContent = "Propose the rest";
    }
  }

  ask.addEventListener("click", propose);
  bar.querySelector("[data-use-all]").addEventListener("click", () => {
    for (const name of [...shown.keys()]) take(name);
    settle("All taken. Change what you like.");
    form.querySelector('[type="submit"]').focus();
  });
  bar.querySelector("[data-clear-all]").addEventListener("click", () => {
    clear();
    ask.focus();
  });
  function clear() {
    asking?.abort();
    for (const name of [...shown.keys()]) remove(name);
    settle("");
  }
  return { clear };
}
