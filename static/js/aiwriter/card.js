/** One angle: fills the markup of templates/aiwriter/_angle_card.html from a frame. Whatever a model wrote is set as text. */

import { element } from "pq/element";
import { loose, marked } from "pq/aiwriter/receipts";
import { showVoice } from "pq/aiwriter/voice_score";

const LETTERS = "ABCDEFGH";
/** A frame of the screen shows this share of what is still to come: quick after a burst, calm at its end. */
const SHARE = 9;
const TYPED = new Set(["heading", "text", "quote", "product", "button"]);

const part = (root, name) => root.querySelector(`[data-part="${name}"]`);
const parts = (root, name) => root.querySelectorAll(`[data-part="${name}"]`);
const show = (root, name, isShown) => root.querySelectorAll(`[data-when="${name}"]`).forEach((node) => { node.hidden = !isShown; });
const say = (root, name, text) => parts(root, name).forEach((node) => { if (node.textContent !== text) node.textContent = text; });
const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

export const letterOf = (position) => LETTERS[position] ?? String(position + 1);

/** Readable text of rich text: tags gone, merge tags as a reader would see them. */
export function plain(html) {
  const text = new DOMParser().parseFromString(html, "text/html").body.textContent;
  return text
    .replace(/\{\{\^(\w+)\}\}[\s\S]*?\{\{\/\1\}\}/g, "")
    .replace(/\{\{[#/]\w+\}\}/g, "")
    .replace(/\{\{\{?\s*([\w.]+)\s*\}?\}\}/g, (_match, tag) => `‹${tag.replace(/[._]/g, " ")}›`)
    .replace(/\s+/g, " ")
    .trim();
}

/** The words of a block as lines, each `[kind, text]`. */
export function linesOf(block) {
  if (!TYPED.has(block.type)) return [];
  if (block.type === "heading") return [["said-head", plain(block.text || "")]];
  if (block.type === "button") return [["said-cta", plain(block.label || "")]];
  const rich = String(block.html || block.text || block.title || "");
  const lines = rich.split(/(?<=<\/(?:p|li)>)|<br\s*\/?>/);
  return lines.map((line) => [line.includes("<li>") ? "said-item" : "said-line", plain(line)]).filter(([, text]) => text);
}

/** What a body says in running text: headings and buttons are left out. */
export const sketchOf = (blocks) => (blocks || [])
  .filter((block) => block.type !== "heading" && block.type !== "button")
  .flatMap(linesOf).map(([kind, text]) => (kind === "said-item" ? `• ${text}` : text)).join(" ");

/** A few words that tell a block from others. */
export function wordsOf(block) {
  const text = linesOf(block).map(([, line]) => line).join(" ");
  return text.length > 60 ? `${text.slice(0, 58).trimEnd()}…` : text;
}

// --- the body --------------------------------------------------------------------------------------------------------
const MADE = { "said-head": "strong" };

/** Show the lines up to `limit` characters; returns whether that was all. */
function typeBody(body, lines, limit) {
  let left = limit;
  const nodes = [];
  for (const [kind, text] of lines) {
    if (left <= 0) break;
    nodes.push(element(MADE[kind] ?? "span", { className: `said ${kind}`, textContent: text.slice(0, left) }));
    left -= text.length;
  }
  const caret = element("span", { className: "caret" });
  (nodes.at(-1) ?? body).append(...(nodes.length ? [caret] : []));
  body.replaceChildren(...nodes, ...(nodes.length ? [] : [caret]));
  body.scrollTop = body.scrollHeight;
  return left >= 0;
}

function typeOn(card) {
  const typing = card.typing;
  if (!typing) return;
  const whole = typing.lines.reduce((sum, [, text]) => sum + text.length, 0);
  typing.shown = isCalm() ? whole : Math.min(whole, typing.shown + Math.max(2, Math.ceil((whole - typing.shown) / SHARE)));
  typeBody(part(card, "body"), typing.lines, typing.shown);
  typing.frame = typing.shown < whole ? requestAnimationFrame(() => typeOn(card)) : 0;
}

function growBody(card, blocks) {
  card.typing ??= { shown: 0, frame: 0, lines: [] };
  card.typing.lines = (blocks || []).flatMap(linesOf);
  if (!card.typing.frame) typeOn(card);
}

function wholeBody(card, blocks, receiptsAt, numberOf) {
  if (card.typing?.frame) cancelAnimationFrame(card.typing.frame);
  card.typing = null;
  const body = part(card, "body");
  body.replaceChildren(...(blocks || []).flatMap((block, index) => {
    const receipts = receiptsAt(`blocks.${index}`);
    const lines = linesOf(block).map(([kind, text]) => element(MADE[kind] ?? "span", { className: `said ${kind}` }, ...marked(text, receipts, numberOf)));
    lines.at(-1)?.append(...loose(receipts, numberOf));
    return lines;
  }));
  body.scrollTop = 0;
}

// --- the card --------------------------------------------------------------------------------------------------------
function findingsLabel(findings) {
  const open = findings.filter((finding) => finding.severity !== "info").length;
  return open === 0 ? "All checks passed" : `${count(open, "thing")} to check`;
}

function receiptsLabel(receipts) {
  const open = receipts.filter((receipt) => !receipt.support).length;
  if (open) return `${count(open, "claim")} open`;
  return receipts.length ? count(receipts.length, "receipt") : "";
}

const SEVERITIES = { block: "Blocks", warn: "Check", info: "Advice" };

function fillChecks(card, report) {
  const findings = report?.findings ?? [];
  part(card, "findings").replaceChildren(...findings.map((finding) => {
    const item = element("li", {}, element("b", { textContent: `${SEVERITIES[finding.severity]}: ` }), finding.message);
    item.dataset.severity = finding.severity;
    return item;
  }));
  const toggle = part(card, "checks");
  toggle.hidden = !report;
  toggle.disabled = findings.length === 0;
  if (!report) part(card, "findings").hidden = true;
  else if (!report.ok && !toggle.dataset.touched) part(card, "findings").hidden = false;
  if (findings.length === 0) part(card, "findings").hidden = true;
  toggle.setAttribute("aria-expanded", String(!part(card, "findings").hidden));
  say(card, "checks", report ? findingsLabel(findings) : "");
  const receipts = report?.receipts ?? [];
  say(card, "receipts", receiptsLabel(receipts));
  part(card, "receipts").classList.toggle("open", receipts.some((receipt) => !receipt.support));
  say(card, "grade", report?.metrics?.grade === undefined ? "" : `Grade ${report.metrics.grade}`);
}

/** The one chip of a card: the most important thing about it now. */
function stateOf(frame) {
  if (frame.status === "accepted" || frame.status === "edited") return "adopted";
  if (frame.status === "rejected") return "rejected";
  if (!frame.is_final) return "writing";
  if (!frame.guardrails) return "checking";
  if (!frame.guardrails.ok) return "blocked";
  return (frame.guardrails.receipts ?? []).length ? "backed" : "checked";
}

const STATES = ["writing", "checking", "rewriting", "backed", "checked", "blocked", "adopted", "rejected"];

export function showState(card, state) {
  for (const name of STATES) show(card, name, name === state);
  card.dataset.state = state;
}

/**
 * @param {HTMLElement} card
 * @param {object} frame a draft, being written or stored
 * @param {(fact: string) => number} numberOf
 */
export function fillCard(card, frame, numberOf) {
  const isFinal = Boolean(frame.is_final);
  card.dataset.position = frame.position;
  if (frame.id) card.dataset.draft = frame.id;
  say(card, "letter", letterOf(frame.position));
  say(card, "angle", frame.angle || "");
  part(card, "body").setAttribute("aria-label", `Body of angle ${letterOf(frame.position)}`);
  card.setAttribute("aria-busy", String(!isFinal));
  const left = [...(isFinal ? frame.guardrails?.receipts ?? [] : [])];
  const receiptsAt = (where) => left.filter((receipt) => receipt.where === where);
  for (const name of ["subject", "preview_text"]) {
    part(card, name).replaceChildren(...marked(frame[name] || "", receiptsAt(name), numberOf));
  }
  // The buttons of receipts are no part of the heading's name.
  part(card, "subject").setAttribute("aria-label", frame.subject || "Subject to come");
  if (isFinal) wholeBody(card, frame.blocks, receiptsAt, numberOf);
  else growBody(card, frame.blocks);
  const sketch = sketchOf(frame.blocks);
  const words = frame.guardrails?.metrics?.words ?? (sketch ? sketch.split(" ").length : 0);
  say(card, "words", words ? count(words, "word") : "");
  say(card, "voice", frame.voice?.score === undefined ? "" : `Voice ${Math.round(frame.voice.score)}`);
  showVoice(part(card, "voice_score"), frame.voice);
  fillChecks(card, isFinal ? frame.guardrails : null);
  show(card, "ready", isFinal && Boolean(frame.id));
  show(card, "offline", isFinal && frame.is_ai_generated === false);
  const undo = frame.rewritten_parts?.at(-1);
  show(card, "rewritten", Boolean(undo) && stateOf(frame) !== "adopted");
  markCard(card, frame);
}

/** Show what people decided about a draft. */
export function markCard(card, frame) {
  const state = stateOf(frame);
  card.classList.toggle("on", state === "adopted");
  showState(card, state);
  const adopt = card.querySelector('[data-act="adopt"]');
  const reject = card.querySelector('[data-act="reject"]');
  if (adopt) adopt.setAttribute("aria-disabled", String(state === "adopted"));
  say(card, "adopt", state === "adopted" ? "In the editor" : "Adopt");
  if (reject) reject.disabled = state === "rejected" || state === "adopted";
  for (const tool of card.querySelectorAll("[data-part-tools]")) tool.hidden = state === "adopted";
}
