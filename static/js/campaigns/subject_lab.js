/** The subject-line lab: ten lines with preview texts, each with its score and its past, to compare, keep and use. */

import { askWriter, writtenBy } from "pq/campaigns/asking";
import { element, iconButton } from "pq/element";
import { icon } from "pq/icon";
import { readable } from "pq/campaigns/merge_tags";
import { mailWords } from "pq/campaigns/mail_words";
import { showPast } from "pq/campaigns/past_subjects";
import { judge, reasonTable, scoreChip } from "pq/campaigns/subject_score";

const ORDERS = {
  written: ["As written", () => 0],
  score: ["Best score first", (one, other) => other.score - one.score],
  length: ["Shortest first", (one, other) => one.subject.length - other.subject.length],
};

const same = (one, other) => one.subject === other.subject && one.preview_text === other.preview_text;

/**
 * @param {import("pq/campaigns/document").MailDocument} mail
 * @param {{context: () => Promise<object>, say: (words: string) => void}} options
 * @returns {() => void} opens it
 */
export function subjectLab(mail, { context, say }) {
  let lines = [];
  let order = "written";
  let chosen = null;
  let own = null;
  let asking = null;
  let looking = null;

  const list = element("div", { className: "lab-lines" });
  const detail = element("div", { className: "lab-detail", tabIndex: -1 });
  const status = element("p", { className: "sm mut" });
  status.setAttribute("role", "status");
  const sort = element("select", { className: "input s w-auto" }, ...Object.entries(ORDERS).map(([value, [words]]) => element("option", { value, textContent: words })));
  sort.setAttribute("aria-label", "Order of the lines");
  sort.addEventListener("change", () => { order = sort.value; draw(); });
  const write = element("button", { type: "button", className: "btn primary s" });
  write.addEventListener("click", () => (asking ? asking.abort() : ask()));
  const dialog = element("dialog", { className: "dialog lab" },
    element("div", { className: "lab-head" },
      element("div", { className: "grow" }, element("h2", { id: "lab-h", textContent: "Subject lab" }), element("p", { className: "xs mut", textContent: "Scores come from rules: advice, not fact. What your own mails did is worth more." })),
      iconButton("close", "Close", () => dialog.close(), "btn quiet s icon")),
    element("div", { className: "lab-bar row" }, write, sort, status),
    element("div", { className: "lab-panes" }, list, detail));
  dialog.setAttribute("aria-labelledby", "lab-h");
  dialog.addEventListener("close", () => { asking?.abort(); looking?.abort(); dialog.remove(); });

  const tell = (words, isTrouble = false) => {
    status.textContent = words;
    status.classList.toggle("c-complaint", isTrouble);
  };

  function entry(line) {
    const words = element("span", { className: "grow" }, element("b", { textContent: readable(line.subject) || "No subject yet" }), element("small", { textContent: readable(line.preview_text) || "No preview text" }));
    const button = element("button", { type: "button" }, scoreChip(line.score), words);
    if (line.isOwn) words.prepend(element("span", { className: "xs mut", textContent: "In the mail now" }));
    if (line.isKept) button.append(icon("star", "s"), element("span", { className: "vh", textContent: "kept" }));
    if (line === chosen) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => choose(line));
    return element("li", {}, button);
  }

  function draw() {
    const sorted = [...lines].sort((one, other) => Number(Boolean(other.isKept)) - Number(Boolean(one.isKept)) || ORDERS[order][1](one, other));
    list.replaceChildren(element("ol", {}, ...[own, ...sorted].filter(Boolean).map(entry)));
    write.textContent = asking ? "Stop" : lines.length ? "Another ten" : "Write ten lines";
    write.classList.toggle("primary", !asking);
  }

  function choose(line, { focus = false } = {}) {
    chosen = line;
    draw();
    if (focus) list.querySelector("[aria-current]")?.focus();
    const past = element("div", {});
    const use = element("button", { type: "button", className: "btn primary s", textContent: line.isOwn || same(line, mail.content) ? "In the mail" : "Use it" });
    use.setAttribute("aria-disabled", String(line.isOwn || same(line, mail.content)));
    use.addEventListener("click", () => { if (use.ariaDisabled !== "true") take(line); });
    const keep = element("button", { type: "button", className: "btn s", textContent: line.isKept ? "Kept" : "Keep" });
    keep.setAttribute("aria-pressed", String(Boolean(line.isKept)));
    keep.addEventListener("click", () => {
      line.isKept = !line.isKept;
      choose(line);
      detail.querySelector("[aria-pressed]").focus();
    });
    detail.replaceChildren(
      element("div", { className: "lab-line" }, element("h3", { textContent: readable(line.subject) || "No subject yet" }), element("p", { className: "sm mut", textContent: readable(line.preview_text) })),
      element("div", { className: "row" }, use, ...(line.isOwn ? [] : [keep])),
      element("h4", { textContent: "What similar subjects did before" }), past,
      element("h4", {}, "Score ", scoreChip(line.score), element("span", { className: "xs mut", textContent: line.label })),
      reasonTable(line.reasons));
    looking?.abort();
    looking = new AbortController();
    if (line.subject.trim()) showPast(past, line.subject, { signal: looking.signal });
    else past.textContent = "Write a subject first.";
  }

  function take(line) {
    mail.apart(() => mail.change("subject-lab", (content) => Object.assign(content, { subject: line.subject, preview_text: line.preview_text })));
    say("The subject is in the mail. Undo brings the old one back.");
    tell("In the mail. Undo brings the old one back.");
    judgeOwn().then(() => choose(line));
  }

  async function judgeOwn() {
    const { subject, preview_text } = mail.content;
    own = { subject, preview_text, isOwn: true, ...(await judge({ subject, preview_text })) };
  }

  async function ask() {
    asking = new AbortController();
    const { signal } = asking;
    draw();
    tell("Writing ten lines…");
    try {
      const { brief, ...around } = await context();
      const { subject, body } = mail.content;
      const words = mailWords(body);
      const about = brief ? { brief } : { goal: (words.split("\n").find((line) => line.trim()) ?? subject).slice(0, 1000) };
      const earlier = [subject, ...lines.map((line) => line.subject)].filter((line) => line.trim()).slice(-60);
      const generation = await askWriter("subject-lines", { ...around, ...about, mail: words, count: 10, ...(earlier.length ? { earlier } : {}) }, { signal });
      lines = [...lines.filter((line) => line.isKept), ...generation.result.lines];
      tell(`${generation.result.lines.length} lines. ${writtenBy(generation)}.`);
      const first = lines.find((line) => !line.isKept);
      if (first) choose(first);
    } catch (error) {
      tell(error.name === "AbortError" ? "Stopped." : error.problem?.errors?.[0]?.detail ?? error.message, error.name !== "AbortError");
    } finally {
      asking = null;
      draw();
    }
  }

  return async function open() {
    document.body.append(dialog);
    dialog.showModal();
    tell("");
    draw();
    try {
      await judgeOwn();
      choose(own);
    } catch (error) {
      tell(error.message, true);
    }
    if (lines.length === 0) write.focus();
  };
}
