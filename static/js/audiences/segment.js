/**
 * The segment page: the rule builder, a sentence that becomes rules, a live count, and "why (not)" for one address.
 *
 * The rules stay in the textarea, which is what is saved. Rules that the builder cannot show are edited there as JSON;
 * everything else works the same.
 */

import { describeBox } from "pq/audiences/describe";
import { RuleBuilder } from "pq/audiences/rule_builder";
import { element as make } from "pq/element";
import { number, percent } from "pq/format";
import { icon } from "pq/icon";
import { post } from "pq/http";

const form = document.querySelector("[data-segment]");
const part = (name) => form.querySelector(`[data-${name}]`);
const json = (id) => JSON.parse(document.getElementById(id).textContent);
const code = form.elements.rules;
const PAUSE = 300;
const builder = new RuleBuilder(part("builder"), json("segment-builder"), write);

/** Keep the builder's rules in the textarea. */
function write() {
  code.value = JSON.stringify(builder.rules, null, 2);
  ask();
}

/** Show rules: in the builder when it can, else as JSON. */
function show(rules) {
  code.value = JSON.stringify(rules, null, 2);
  const isShown = builder.load(rules);
  part("builder").hidden = !isShown;
  part("code").hidden = isShown;
  if (isShown) code.value = JSON.stringify(builder.rules, null, 2);
  ask();
}

// --- answers --------------------------------------------------------------------------------------------------------
let timer;
let running;

function rulesNow() {
  try {
    return JSON.parse(code.value);
  } catch {
    return null;
  }
}

function ask() {
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE);
}

function showNothing(words) {
  part("count").textContent = "–";
  part("share").textContent = words;
  part("meter").value = 0;
  part("sample").replaceChildren();
  part("sentence").textContent = "";
}

async function preview() {
  running?.abort();
  running = new AbortController();
  const rules = rulesNow();
  if (rules === null) return showNothing("The JSON is not complete.");
  if (!(rules.all ?? rules.any ?? [rules]).length) return showNothing("Add a condition.");
  try {
    const answer = await post(form.dataset.preview, { rules }, { signal: running.signal });
    part("count").textContent = `${answer.estimated ? "about " : ""}${number(answer.count)}`;
    part("share").textContent = `contact${answer.count === 1 ? "" : "s"}${answer.total ? `, ${percent(answer.count / answer.total)} of your audience` : ""}`;
    part("meter").value = answer.total ? Math.min(answer.count / answer.total, 1) : 0;
    part("sentence").textContent = answer.sentence ? `${answer.sentence[0].toUpperCase()}${answer.sentence.slice(1)}.` : "";
    part("sample").replaceChildren(...answer.sample.map((one) =>
      make("li", {}, one.name, ...(one.name === one.email ? [] : [make("br"), make("small", { className: "dim", textContent: one.email })]))));
  } catch (error) {
    if (error.name !== "AbortError") showNothing(error.message);
  }
  return undefined;
}

function drawTrace(node) {
  const line = make("div", { className: "row sm nowrap-f" }, icon(node.passed ? "check" : "close", "s"), make("span", { textContent: node.text }), make("span", { className: "vh", textContent: node.passed ? "met" : "not met" }));
  line.firstChild.classList.add(node.passed ? "c-ok" : "c-complaint");
  if (!node.children.length) return make("li", {}, line);
  return make("li", { className: "stack tight" }, line, make("ul", { className: "stack tight" }, ...node.children.map(drawTrace)));
}

async function explain() {
  const place = part("trace");
  const email = part("why").value.trim();
  if (!email) return part("why").focus();
  try {
    const trace = await post(form.dataset.explain, { rules: rulesNow(), email });
    const verdict = make("p", { className: "sm" }, make("b", { textContent: trace.passed ? "In the segment" : "Not in the segment" }));
    place.replaceChildren(verdict, make("ul", { className: "stack tight" }, drawTrace(trace)));
  } catch (error) {
    place.replaceChildren(make("p", { className: "sm mut", textContent: error.message }));
  }
  return undefined;
}

part("why-go").addEventListener("click", explain);
part("why").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  explain();
});
code.addEventListener("input", ask);

// --- start ----------------------------------------------------------------------------------------------------------
show(json("segment-rules"));
if (part("describe")) describeBox(part("describe"), { show, current: () => rulesNow() ?? { all: [] } });
