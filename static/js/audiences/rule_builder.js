/**
 * The rule builder: conditions in groups of all, any or none, as menus and fields. It draws a tree of rules and gives it
 * back; rules that its menus cannot show (a field that was deleted) are left to whoever called.
 */

import { element as make } from "pq/element";
import { icon } from "pq/icon";

/** Groups within groups that the builder offers; the server allows a little more. */
const DEEPEST = 3;
const MATCHES = [["all", "all"], ["any", "any"], ["none", "none"]];
const VALUES = { none: 0, one: 1, many: 1, two: 2 };

const option = (value, label, chosen) => make("option", { value, textContent: label, selected: value === chosen });
const labelled = (control, label) => { control.setAttribute("aria-label", label); return control; };

export class RuleBuilder {
  /**
   * @param {HTMLElement} place where it is drawn
   * @param {object} menus fields, lists, campaigns, engagements and operators by type
   * @param {() => void} changed called when the rules have changed
   */
  constructor(place, menus, changed) {
    this.place = place;
    this.menus = menus;
    this.changed = changed;
    this.subjects = new Map([
      ...menus.fields.map((field) => [`field:${field.key}`, { kind: "field", label: field.label, type: field.type }]),
      ...(menus.lists.length ? [["list:", { kind: "list", label: "List", type: "list", rows: menus.lists }]] : []),
      ...(menus.campaigns.length ? [["campaign:", { kind: "campaign", label: "Campaign", type: "campaign", rows: menus.campaigns }]] : []),
      ...menus.engagements.map((one) => [`engagement:${one.key}`, { kind: "engagement", label: one.label, type: "engagement" }]),
    ]);
    this.root = { match: "all", children: [] };
  }

  /** Show rules. Returns false, and changes nothing, when the menus cannot show them. */
  load(rules) {
    const read = this.#read(rules);
    if (!read) return false;
    this.root = read.children ? read : { match: "all", children: [read] };
    if (!this.root.children.length) this.root.children.push(this.#blank());
    this.draw();
    return true;
  }

  /** The rules as they stand. */
  get rules() {
    const written = this.#write(this.root);
    return this.root.children.length ? written : { all: [] };
  }

  // --- rules to rows and back ---------------------------------------------------------------------------------------
  #read(rule) {
    if (!rule || typeof rule !== "object") return null;
    if ("not" in rule) {
      const inner = this.#read(rule.not);
      if (!inner) return null;
      return inner.match === "any" ? { ...inner, match: "none" } : { match: "none", children: [inner] };
    }
    const match = ["all", "any"].find((kind) => Array.isArray(rule[kind]));
    if (match) {
      const children = rule[match].map((child) => this.#read(child));
      return children.every(Boolean) ? { match, children } : null;
    }
    const kind = ["field", "list", "campaign", "engagement"].find((name) => name in rule);
    const subject = ["list", "campaign"].includes(kind) ? `${kind}:` : `${kind}:${rule[kind]}`;
    const known = this.subjects.get(subject);
    if (!known || !this.#operators(subject).some((operator) => operator.name === rule.op)) return null;
    if (known.rows && !known.rows.some((row) => row.id === rule[kind])) return null;
    const value = rule.value;
    const values = Array.isArray(value) ? (rule.op === "in" ? [value.join(", ")] : value.map(String)) : [String(value ?? ""), ""];
    return { subject, op: rule.op, values, row: known.rows ? rule[kind] : "" };
  }

  #write(node) {
    if (!node.children) return this.#condition(node);
    const children = node.children.map((child) => this.#write(child));
    if (node.match !== "none") return { [node.match]: children };
    return { not: children.length === 1 ? children[0] : { any: children } };
  }

  #condition(row) {
    const { kind, rows } = this.subjects.get(row.subject);
    const operator = this.#operator(row);
    const typed = (text = "") => (["number", "days"].includes(operator.value_type) ? (text.trim() === "" ? null : Number(text)) : text.trim());
    const rule = { [kind]: rows ? row.row : row.subject.slice(kind.length + 1), op: row.op };
    if (operator.arity === "one") rule.value = typed(row.values[0]);
    if (operator.arity === "two") rule.value = [typed(row.values[0]), typed(row.values[1])];
    if (operator.arity === "many") rule.value = (row.values[0] ?? "").split(",").map((text) => text.trim()).filter(Boolean);
    return rule;
  }

  #operators(subject) {
    return this.menus.operators[this.subjects.get(subject).type];
  }

  #operator(row) {
    return this.#operators(row.subject).find((one) => one.name === row.op);
  }

  #blank(subject = "engagement:opened") {
    const operator = this.#operators(subject)[0];
    const row = this.subjects.get(subject).rows?.[0]?.id ?? "";
    return { subject, op: operator.name, values: operator.value_type === "days" ? ["30"] : ["", ""], row };
  }

  // --- drawing ------------------------------------------------------------------------------------------------------
  /** Draw everything; then focus a control of one row or group, if asked to. */
  draw(focusNode, focusControl = 0) {
    this.count = 0;
    this.drawn = new Map();
    this.place.replaceChildren(...this.#group(this.root, null, 1));
    this.drawn.get(focusNode)?.querySelectorAll("select, input, button")[focusControl]?.focus();
  }

  #redraw(focusNode, focusControl) {
    this.draw(focusNode, focusControl);
    this.changed();
  }

  #group(group, parent, depth) {
    const pick = make("select", { className: "input s w-auto" }, ...MATCHES.map(([value, words]) => option(value, words, group.match)));
    pick.addEventListener("change", () => { group.match = pick.value; this.changed(); });
    const head = make("div", { className: "row sm" }, parent ? "" : "Contacts that meet", labelled(pick, parent ? "All, any or none of this group" : "All, any or none of the conditions"), "of these:");
    if (parent) head.append(this.#remover(group, parent, "Remove group"));
    const add = make("button", { type: "button", className: "btn s" }, icon("plus", "s"), "Add condition");
    add.addEventListener("click", () => { const row = this.#blank(); group.children.push(row); this.#redraw(row); });
    const actions = make("div", { className: "row" }, add);
    if (depth < DEEPEST) {
      const nest = make("button", { type: "button", className: "btn quiet s" }, "Add group");
      nest.addEventListener("click", () => {
        const inner = { match: group.match === "any" ? "all" : "any", children: [this.#blank()] };
        group.children.push(inner);
        this.#redraw(inner);
      });
      actions.append(nest);
    }
    const rows = group.children.map((child) => {
      if (!child.children) return this.#row(child, group);
      const box = make("div", { className: "rule-group stack tight", role: "group" }, ...this.#group(child, group, depth + 1));
      box.setAttribute("aria-label", "Group of conditions");
      this.drawn.set(child, box);
      return box;
    });
    return [head, ...rows, actions];
  }

  #remover(node, parent, label) {
    const remove = labelled(make("button", { type: "button", className: "btn quiet s icon push" }, icon("close", "s")), label);
    remove.addEventListener("click", () => {
      parent.children.splice(parent.children.indexOf(node), 1);
      this.#redraw(parent.children.at(-1));
    });
    return remove;
  }

  #row(row, parent) {
    this.count += 1;
    const position = this.count;
    const subject = labelled(make("select", { className: "input s w-auto" }, ...[...this.subjects].map(([key, one]) => option(key, one.label, row.subject))), `Subject of condition ${position}`);
    subject.addEventListener("change", () => { Object.assign(row, this.#blank(subject.value)); this.#redraw(row); });
    const operator = labelled(make("select", { className: "input s w-auto" }, ...this.#operators(row.subject).map((one) => option(one.name, one.words, row.op))), `Comparison of condition ${position}`);
    operator.addEventListener("change", () => { row.op = operator.value; this.#redraw(row, 1); });
    const line = make("div", { className: "row rule" }, subject, operator, ...this.#values(row, position), this.#remover(row, parent, `Remove condition ${position}`));
    this.drawn.set(row, line);
    return line;
  }

  #values(row, position) {
    const { kind, rows } = this.subjects.get(row.subject);
    const operator = this.#operator(row);
    if (rows) {
      const select = labelled(make("select", { className: "input s w-auto" }, ...rows.map((one) => option(one.id, one.name, row.row))), `${kind === "list" ? "List" : "Campaign"} of condition ${position}`);
      select.addEventListener("change", () => { row.row = select.value; this.changed(); });
      return [select];
    }
    const count = VALUES[operator.arity];
    return Array.from({ length: count }, (_, index) => {
      const type = operator.value_type === "date" ? "date" : "text";
      const input = labelled(make("input", { className: "input s w-auto", type, value: row.values[index] ?? "", maxLength: 2000 }), `Value ${count > 1 ? index + 1 : ""} of condition ${position}`);
      if (["number", "days"].includes(operator.value_type)) Object.assign(input, { inputMode: "decimal", size: 8 });
      if (operator.value_type === "days") input.placeholder = "days";
      if (operator.arity === "many") input.placeholder = "one, two, three";
      input.addEventListener("input", () => { row.values[index] = input.value; this.changed(); });
      return input;
    });
  }
}
