/** The brief: shown as a list, edited as a form, completed by proposals, and handed to the writer. */

import { element } from "pq/element";
import { post } from "pq/http";
import { proposals } from "pq/campaigns/proposals";

const ROWS = [
  ["goal", "Goal"], ["audience", "For"], ["offer", "Offer"], ["cta_label", "Button"], ["brand_voice", "Voice"], ["tone", "Tone"],
  ["language", "Language"], ["must_say", "Must say"], ["must_not_say", "Avoid"],
];
const LINES = new Set(["facts", "must_say", "must_not_say"]);

/**
 * @param {HTMLElement} card
 * @param {{brief: object, urls: {brief: string, angles: string}, onRevision: (revision: number) => void, onWriting: (generation: string) => void, beforeWrite: () => Promise<boolean>}} options
 */
export function briefCard(card, { brief, urls, onRevision, onWriting, beforeWrite }) {
  const view = card.querySelector("[data-brief-view]");
  const form = card.querySelector("[data-brief-form]");
  const edit = card.querySelector("[data-brief-edit]");
  const failure = card.querySelector("[data-brief-error]");
  let isBusy = false;

  /** What a choice is called; English goes without saying. */
  function wordsOf(name) {
    const value = brief[name];
    if (LINES.has(name)) return (value ?? []).join(", ");
    if (name !== "language" && name !== "brand_voice") return value;
    if (!value || value === "en") return "";
    return form?.elements.namedItem(name).selectedOptions[0]?.textContent ?? value;
  }

  function show() {
    card.querySelector("[data-brief-list]").replaceChildren(...ROWS.flatMap(([name, words]) => {
      const value = wordsOf(name);
      return value ? [element("dt", { textContent: words }), element("dd", { textContent: value, dir: "auto" })] : [];
    }));
    const facts = card.querySelector("[data-brief-facts]");
    facts.hidden = brief.facts.length === 0;
    facts.replaceChildren(element("li", {}, element("b", { textContent: "Facts it may use" })), ...brief.facts.map((fact, index) =>
      element("li", {}, element("span", { className: "rcpt", textContent: String(index + 1) }), element("span", { dir: "auto", textContent: fact }))));
  }

  function open(isOpen) {
    if (!form) return;
    form.hidden = !isOpen;
    view.hidden = isOpen;
    if (edit) edit.hidden = isOpen;
    if (isOpen) form.elements.goal.focus();
    else show();
  }

  function read() {
    if (form.hidden) return brief;
    const fields = {};
    for (const [name, value] of new FormData(form)) {
      fields[name] = LINES.has(name) ? value.split("\n").map((line) => line.trim()).filter(Boolean) : value.trim();
    }
    return fields;
  }

  function say(error) {
    failure.hidden = !error;
    failure.textContent = error?.problem?.errors?.[0]?.detail ?? error?.message ?? "";
    const name = error?.problem?.errors?.[0]?.field?.split(".")[0];
    for (const input of form.elements) input.removeAttribute("aria-invalid");
    if (name && form.elements.namedItem(name)) {
      if (name !== "goal") form.querySelector("[data-brief-more]").open = true;
      form.elements.namedItem(name).setAttribute("aria-invalid", "true");
      form.elements.namedItem(name).focus();
    }
  }

  async function send(url) {
    if (isBusy) return null;
    isBusy = true;
    const buttons = document.querySelectorAll("[data-write], [data-brief-form] button");
    buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
    try {
      const fields = read();
      if (!(await beforeWrite())) return null;
      const answer = await post(url, fields);
      Object.assign(brief, fields);
      say(null);
      proposed?.clear();
      open(false);
      onRevision(answer.revision);
      return answer;
    } catch (error) {
      open(true);
      say(error);
      return null;
    } finally {
      isBusy = false;
      buttons.forEach((button) => button.removeAttribute("aria-disabled"));
    }
  }

  async function write() {
    const answer = await send(urls.angles);
    if (answer) onWriting(answer.generation);
  }

  /** Something is true that the brief does not say yet: open the form with it as a new fact. */
  function addFact(text) {
    if (!form) return;
    open(true);
    form.querySelector("[data-brief-more]").open = true;
    const { facts } = form.elements;
    facts.value = [...facts.value.split("\n").filter(Boolean), text].join("\n");
    facts.focus();
    facts.setSelectionRange(facts.value.length, facts.value.length);
  }

  const proposed = form && proposals(form, { onError: say });
  show();
  edit?.addEventListener("click", () => open(true));
  form?.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); write(); });
  form?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    write();
  });
  card.querySelector("[data-brief-keep]")?.addEventListener("click", async () => {
    if (await send(urls.brief)) card.querySelector("[data-brief-edit]").focus();
  });
  document.querySelectorAll("[data-write]").forEach((button) => button.addEventListener("click", write));
  return { write, addFact, facts: () => brief.facts };
}
