/** The score of a subject line: a number with its reasons, and the row that shows it while somebody types. */

import { element } from "pq/element";
import { debounce } from "pq/forms";
import { post } from "pq/http";

const SETTLED_MS = 350;
const GOOD = 85;
const FAIR = 70;

const tone = (score) => (score >= GOOD ? "ok" : score >= FAIR ? "accent" : "warn");

/** A score as a chip. */
export function scoreChip(score) {
  const chip = element("span", { className: `chip line-score ${tone(score)}`, textContent: String(score) });
  chip.append(element("span", { className: "vh", textContent: " of 100" }));
  return chip;
}

/** Every rule with its points, its sentence and its source; those that cost most come first. */
export function reasonTable(reasons) {
  const lost = (reason) => reason.most - reason.points;
  const rows = [...reasons].sort((one, other) => lost(other) - lost(one)).map((reason) => {
    const points = element("td", { className: "num", textContent: `${reason.points} / ${reason.most}` });
    if (lost(reason)) points.classList.add("c-bounce");
    return element("tr", {}, points, element("td", {}, reason.message, element("small", { textContent: reason.source })));
  });
  const head = element("tr", {}, ...["Points", "Why"].map((words) => Object.assign(element("th", { textContent: words }), { scope: "col" })));
  return element("table", { className: "reasons" }, element("caption", { className: "vh", textContent: "Points of each rule" }), element("thead", {}, head), element("tbody", {}, ...rows));
}

/** Ask what rules say of a line. @returns {Promise<{score: number, reasons: object[], label: string}>} */
export const judge = ({ subject, preview_text }, options) => post("/v1/ai/subject-score", { subject: subject.slice(0, 300), preview_text: preview_text.slice(0, 300) }, options);

/**
 * @param {HTMLElement} row
 * @param {import("pq/campaigns/document").MailDocument} mail
 */
export function subjectScore(row, mail) {
  const place = row.querySelector("[data-score]");
  const words = row.querySelector("[data-score-words]");
  let asking = null;
  let judged = "";

  async function update() {
    const { subject, preview_text } = mail.content;
    const line = JSON.stringify([subject, preview_text]);
    if (line === judged) return;
    judged = line;
    asking?.abort();
    if (!subject.trim()) {
      place.replaceChildren();
      words.textContent = "A score appears as you type.";
      return;
    }
    asking = new AbortController();
    try {
      const { score, reasons } = await judge({ subject, preview_text }, { signal: asking.signal });
      const worst = reasons.reduce((one, other) => (other.most - other.points > one.most - one.points ? other : one));
      place.replaceChildren(scoreChip(score));
      words.textContent = worst.points < worst.most ? worst.message : "Nothing to be said against it.";
    } catch (error) {
      if (error.name === "AbortError") return;
      judged = "";
      words.textContent = "No score at the moment.";
    }
  }
  const soon = debounce(update, SETTLED_MS);
  mail.addEventListener("changed", soon);
  mail.addEventListener("adopted", soon);
  update();
}
