/** What similar subjects of the same sender did before: looked up, never predicted. */

import { element } from "pq/element";
import { number } from "pq/format";
import { get } from "pq/http";

const percent = (rate) => `${(rate * 100).toFixed(1)} %`;

function rowOf(line) {
  return element("tr", {},
    element("td", {}, line.subject, element("small", { textContent: `${line.campaign} · ${line.similarity_percent} % alike` })),
    element("td", { className: "num", textContent: percent(line.click_rate) }),
    element("td", { className: "num", textContent: percent(line.open_rate) }),
    element("td", { className: "num", textContent: number(line.delivered) }));
}

/** Fill a place with the past of a line. @param {HTMLElement} place @param {string} subject */
export async function showPast(place, subject, { signal } = {}) {
  place.replaceChildren(element("p", { className: "sm mut", textContent: "Looking…" }));
  try {
    const past = await get(`/v1/subjects/similar?subject=${encodeURIComponent(subject.slice(0, 300))}`, { signal });
    const note = element("p", { className: "xs mut", textContent: past.note });
    if (past.results.length === 0) return place.replaceChildren(note);
    const head = element("tr", {}, ...["Subject", "Clicks", "Opens", "n"].map((words) => Object.assign(element("th", { textContent: words }), { scope: "col" })));
    const table = element("table", { className: "reasons past-subjects" }, element("caption", { className: "vh", textContent: "Similar subjects that were sent" }), element("thead", {}, head), element("tbody", {}, ...past.results.map(rowOf)));
    place.replaceChildren(table, note);
  } catch (error) {
    if (error.name !== "AbortError") place.replaceChildren(element("p", { className: "sm c-complaint", role: "alert", textContent: error.message }));
  }
}
