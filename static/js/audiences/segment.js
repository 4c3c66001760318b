/**
 * The segment builder: rows of conditions under "all" or "any", a live count, and "why (not)" for one address.
 *
 * The rules stay in the textarea, which is what is saved. Rules that rows cannot show (nested groups) are edited there
 * as JSON; everything else works the same.
 */

import { number, percent } from "pq/format";
import { icon } from "pq/icon";
import { post } from "pq/http";

const form = document.querySelector("[data-segment]");
const part = (name) => form.querySelector(`[data-${name}]`);
const json = (id) => JSON.parse(document.getElementById(id).textContent);
const menus = json("segment-builder");
const code = form.elements.rules;
const builder = part("builder");
const PAUSE = 300;

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const option = (value, label, chosen) => make("option", { value, textContent: label, selected: value === chosen });
const labelled = (element, label) => { element.setAttribute("aria-label", label); return element; };

// --- what a row can say ---------------------------------------------------------------------------------------------
const subjects = new Map([
  ...menus.fields.map((field) => [`field:${field.key}`, { kind: "field", label: field.label, type: field.type }]),
  ...(menus.lists.length ? [["list:", { kind: "list", label: "List", type: "list" }]] : []),
  ...menus.engagements.map((one) => [`engagement:${one.key}`, { kind: "engagement", label: one.label, type: "engagement" }]),
]);
const operatorsOf = (subject) => menus.operators[subjects.get(subject).type];
const subjectOf = (rule) => ("list" in rule ? "list:" : "field" in rule ? `field:${rule.field}` : `engagement:${rule.engagement}`);

/** Whether rows can show these rules: one group of plain conditions whose subjects still exist. */
function isFlat(rules) {
  const children = rules?.all ?? rules?.any;
  return Array.isArray(children) && children.every((rule) =>
    ["field", "list", "engagement"].some((kind) => kind in rule) &&
    subjects.has(subjectOf(rule)) && operatorsOf(subjectOf(rule)).some((operator) => operator.name === rule.op));
}

// --- state: the rules, as rows --------------------------------------------------------------------------------------
let match = "all";
let rows = [];

const blank = () => {
  const subject = subjects.has("engagement:opened") ? "engagement:opened" : subjects.keys().next().value;
  const operator = operatorsOf(subject)[0];
  return { subject, op: operator.name, values: operator.value_type === "days" ? ["30"] : ["", ""], list: menus.lists[0]?.id ?? "" };
};

function read(rules) {
  match = "any" in rules ? "any" : "all";
  rows = (rules.all ?? rules.any).map((rule) => ({
    subject: subjectOf(rule),
    op: rule.op,
    list: rule.list ?? menus.lists[0]?.id ?? "",
    values: Array.isArray(rule.value) ? (rule.op === "in" ? [rule.value.join(", ")] : rule.value.map(String)) : [String(rule.value ?? ""), ""],
  }));
}

function ruleOf(row) {
  const { kind } = subjects.get(row.subject);
  const operator = operatorsOf(row.subject).find((one) => one.name === row.op);
  const typed = (text) => (["number", "days"].includes(operator.value_type) ? (text.trim() === "" ? null : Number(text)) : text.trim());
  const rule = { [kind]: kind === "list" ? row.list : row.subject.split(":")[1], op: row.op };
  if (operator.arity === "one") rule.value = typed(row.values[0] ?? "");
  if (operator.arity === "two") rule.value = [typed(row.values[0] ?? ""), typed(row.values[1] ?? "")];
  if (operator.arity === "many") rule.value = (row.values[0] ?? "").split(",").map((text) => text.trim()).filter(Boolean);
  return rule;
}

function write() {
  code.value = JSON.stringify({ [match]: rows.map(ruleOf) }, null, 2);
  ask();
}

// --- drawing --------------------------------------------------------------------------------------------------------
function valueControls(row, position) {
  const { type } = subjects.get(row.subject);
  const operator = operatorsOf(row.subject).find((one) => one.name === row.op);
  if (type === "list") {
    const select = labelled(make("select", { className: "input s w-auto" }, ...menus.lists.map((list) => option(list.id, list.name, row.list))), `List of condition ${position}`);
    select.addEventListener("change", () => { row.list = select.value; write(); });
    return [select];
  }
  const count = { none: 0, one: 1, many: 1, two: 2 }[operator.arity];
  return Array.from({ length: count }, (_, index) => {
    const kind = operator.value_type === "date" ? "date" : "text";
    const input = labelled(make("input", { className: "input s w-auto", type: kind, value: row.values[index] ?? "", maxLength: 2000 }), `Value ${count > 1 ? index + 1 : ""} of condition ${position}`);
    if (["number", "days"].includes(operator.value_type)) Object.assign(input, { inputMode: "decimal", size: 8 });
    if (operator.value_type === "days") input.placeholder = "days";
    if (operator.arity === "many") input.placeholder = "one, two, three";
    input.addEventListener("input", () => { row.values[index] = input.value; write(); });
    return input;
  });
}

function drawRow(row, index) {
  const position = index + 1;
  const subject = labelled(make("select", { className: "input s w-auto" }, ...[...subjects].map(([key, one]) => option(key, one.label, row.subject))), `Subject of condition ${position}`);
  subject.addEventListener("change", () => {
    row.subject = subject.value;
    row.op = operatorsOf(row.subject)[0].name;
    row.values = operatorsOf(row.subject)[0].value_type === "days" ? ["30"] : ["", ""];
    draw(index);
    write();
  });
  const operator = labelled(make("select", { className: "input s w-auto" }, ...operatorsOf(row.subject).map((one) => option(one.name, one.words, row.op))), `Comparison of condition ${position}`);
  operator.addEventListener("change", () => {
    row.op = operator.value;
    draw(index, 1);
    write();
  });
  const remove = labelled(make("button", { type: "button", className: "btn quiet s icon push" }, icon("close", "s")), `Remove condition ${position}`);
  remove.addEventListener("click", () => { rows.splice(index, 1); draw(); write(); });
  return make("div", { className: "row" }, subject, operator, ...valueControls(row, position), remove);
}

function draw(focusRow, focusControl = 0) {
  const pick = make("select", { className: "input s w-auto" }, option("all", "all", match), option("any", "any", match));
  pick.addEventListener("change", () => { match = pick.value; write(); });
  const add = make("button", { type: "button", className: "btn s" }, icon("plus", "s"), "Add condition");
  add.addEventListener("click", () => { rows.push(blank()); draw(rows.length - 1); write(); });
  builder.replaceChildren(
    make("div", { className: "row sm" }, "Contacts that meet", labelled(pick, "All or any of the conditions"), "of these:"),
    ...rows.map(drawRow),
    make("div", { className: "row" }, add),
  );
  if (focusRow !== undefined) builder.children[focusRow + 1]?.querySelectorAll("select, input")[focusControl]?.focus();
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
const saved = json("segment-rules");
code.value = JSON.stringify(saved, null, 2);
if (isFlat(saved)) {
  read(saved);
  if (!rows.length) rows.push(blank());
  builder.hidden = false;
  part("code").hidden = true;
  draw();
  write();
} else {
  ask();
}
