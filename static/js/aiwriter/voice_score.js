/** How a draft sounds beside its brand voice: what templates/aiwriter/_voice_score.html shows, from a frame. */

import { element } from "pq/element";
import { icon } from "pq/icon";

const SVG = "http://www.w3.org/2000/svg";
const levelOf = (score) => (score >= 80 ? "good" : score >= 60 ? "some" : "low");
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function ring(score) {
  const round = { cx: 36, cy: 36, r: 31 };
  const arc = { ...round, class: "v", pathLength: 100, "stroke-dasharray": `${score} 100`, transform: "rotate(-90 36 36)" };
  const named = { class: "ring", viewBox: "0 0 72 72", role: "img", "aria-label": `Voice score ${score} of 100` };
  return drawn("svg", named, drawn("circle", round), drawn("circle", arc), drawn("text", { x: 36, y: 45 }, String(score)));
}

function reason({ text, points }) {
  return element("li", {}, text, ...(points ? [" ", element("b", { textContent: String(points) })] : []));
}

function paragraph({ score, text, reasons, nearest }) {
  const row = element("li", {}, element("p", { className: "said" }, element("b", { textContent: String(score) }), ` ${short(text, 160)}`));
  row.dataset.level = levelOf(score);
  if (reasons.length) row.append(element("ul", { className: "why" }, ...reasons.map(reason)));
  if (nearest) {
    const words = `Nearest of yours (${nearest.label} ${nearest.similarity}): “${short(nearest.text, 140)}”, ${short(nearest.title, 60)}`;
    row.append(element("p", { className: "own", textContent: words }));
  }
  return row;
}

/**
 * @param {HTMLElement|null} place where it stands on a card
 * @param {object|null} voice `voice` of a draft's frame; nothing while it is written, or without a brand voice
 */
export function showVoice(place, voice) {
  if (!place) return;
  if (voice?.score === undefined) return place.replaceChildren();
  const whose = element("span", { className: "xs dim", textContent: `${voice.voice.name}, version ${voice.voice.version}` });
  const summary = element("summary", {}, ring(voice.score), element("span", {}, element("b", { textContent: voice.label }), " ", whose), icon("chevron-down", "s"));
  const telling = voice.paragraphs.filter(({ reasons, nearest }) => reasons.length || nearest);
  const list = element("ol", { tabIndex: 0, ariaLabel: "Paragraphs" }, ...telling.map(paragraph));
  const score = element("details", { className: "voice-score" }, summary, list);
  const note = (textContent) => score.append(element("p", { className: "xs dim mt", textContent }));
  if (voice.unchecked.length) note(`Rules that only a reader can judge: ${voice.unchecked.join(" ")}`);
  note("Counted by rules. No model was asked.");
  score.open = place.querySelector("details")?.open ?? false;
  place.replaceChildren(score);
}
