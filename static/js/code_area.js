/**
 * `<code-area language="json|html|mjml|markdown" label="…">`: a plain textarea over a highlighted copy of its text.
 *
 * The textarea does the editing, so the keyboard, undo, spelling and screen readers work as everywhere; the copy only
 * shows colours and line numbers. `value` reads and writes the text, `input` events bubble, `show({line, column,
 * message})` marks a line and says what is wrong there, `show(null)` clears it. Ctrl+] and Ctrl+[ indent; Tab leaves.
 */

import { element } from "pq/element";

const MUSTACHE = [["tag", /\{\{\{?[^{}]*\}?\}\}/y]];
const MARKUP = [
  ["comment", /<!--[\s\S]*?(?:-->|$)/y],
  ...MUSTACHE,
  ["name", /<\/?[A-Za-z][\w-]*|\/?>/y],
  ["string", /(?<==)\s*(?:"[^"]*"|'[^']*')/y],
  ["key", /[A-Za-z-]+(?==)/y],
];
/** What is coloured in each language, tried in this order at each place. */
const LANGUAGES = {
  json: [
    ["key", /"(?:[^"\\\n]|\\.)*"(?=\s*:)/y],
    ["string", /"(?:[^"\\\n]|\\.)*"?/y],
    ["number", /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y],
  ],
  html: MARKUP,
  mjml: MARKUP,
  markdown: [...MUSTACHE, ["name", /(?<=^|\n)(?:#{1,6} .*|[-*+] |\d+\. |> ?|---+$)/y], ["string", /\[[^\]\n]*\]\([^)\n]*\)/y], ["key", /(\*\*|__|`)(?=\S)[^\n]*?\1/y]],
};
/** Where a token may begin: everything between is taken as it is. */
const STARTS = { json: /["\d\-tfn]/g, html: /[<{/>=A-Za-z]/g, mjml: /[<{/>=A-Za-z]/g, markdown: /[{#\-*+\d>[_`]/g };
const LARGE = 20_000;
const PAUSE_MS = 120;

/** The text as nodes, coloured. */
function coloured(text, language) {
  const rules = LANGUAGES[language] ?? [];
  const start = STARTS[language];
  const out = document.createDocumentFragment();
  let plainFrom = 0;
  let at = 0;
  while (start && at < text.length) {
    start.lastIndex = at;
    const next = start.exec(text);
    if (!next) break;
    at = next.index;
    let end = at + 1;
    for (const [kind, rule] of rules) {
      rule.lastIndex = at;
      const found = rule.exec(text);
      if (!found || !found[0]) continue;
      out.append(text.slice(plainFrom, at), element("span", { className: `code-${kind}`, textContent: found[0] }));
      end = at + found[0].length;
      plainFrom = end;
      break;
    }
    at = end;
  }
  out.append(`${text.slice(plainFrom)}\n`);
  return out;
}

let serial = 0;

class CodeArea extends HTMLElement {
  static observedAttributes = ["language", "label", "readonly"];
  #box = element("textarea", { className: "code-box", spellcheck: false, autocapitalize: "off", wrap: "off" });
  #copy = element("pre", { className: "code-copy" });
  #lines = element("pre", { className: "code-lines" });
  #note = element("p", { className: "code-note sm", hidden: true, id: `code-note-${++serial}` });
  #timer = 0;
  #problemLine = 0;

  connectedCallback() {
    if (this.#box.isConnected) return;
    for (const part of [this.#copy, this.#lines]) part.setAttribute("aria-hidden", "true");
    this.#box.setAttribute("aria-describedby", this.#note.id);
    this.#note.setAttribute("role", "status");
    this.replaceChildren(element("div", { className: "code-frame" }, this.#lines, element("div", { className: "code-text" }, this.#copy, this.#box)), this.#note);
    this.#box.addEventListener("input", () => this.#soon());
    this.#box.addEventListener("scroll", () => this.#follow(), { passive: true });
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    this.#draw();
  }

  disconnectedCallback() { clearTimeout(this.#timer); }

  attributeChangedCallback(name, _before, value) {
    if (name === "label") this.#box.setAttribute("aria-label", value);
    if (name === "readonly") this.#box.readOnly = value !== null;
    if (name === "language") this.#draw();
  }

  get value() { return this.#box.value; }
  set value(text) {
    if (this.#box.value === text) return;
    this.#box.value = text;
    this.#draw();
  }

  focus(options) { this.#box.focus(options); }

  /** Put the caret at a place and scroll there. */
  goTo(line, column = 1) {
    const before = this.#box.value.split("\n").slice(0, line - 1);
    const at = before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
    this.#box.focus();
    this.#box.setSelectionRange(at, at);
    this.#box.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(this.#box).lineHeight));
  }

  /** @param {{line?: number, column?: number, message: string}|null} problem */
  show(problem) {
    this.#problemLine = problem?.line ?? 0;
    this.#note.hidden = !problem;
    this.#box.setAttribute("aria-invalid", String(Boolean(problem)));
    if (problem?.line) {
      const jump = element("button", { type: "button", className: "btn quiet s", textContent: `Go to line ${problem.line}` });
      jump.addEventListener("click", () => this.goTo(problem.line, problem.column));
      this.#note.replaceChildren(element("span", { className: "grow", textContent: problem.message }), jump);
    } else this.#note.textContent = problem?.message ?? "";
    this.#number();
  }

  #soon() {
    clearTimeout(this.#timer);
    if (this.#box.value.length > LARGE) this.#timer = setTimeout(() => this.#draw(), PAUSE_MS);
    else this.#draw();
  }

  #draw() {
    this.#copy.replaceChildren(coloured(this.#box.value, this.getAttribute("language")));
    this.#number();
    this.#follow();
  }

  #number() {
    const count = this.#box.value.split("\n").length;
    const numbers = Array.from({ length: count }, (_none, index) => `${index + 1}\n`);
    if (this.#problemLine > 0 && this.#problemLine <= count) {
      const at = this.#problemLine - 1;
      this.#lines.replaceChildren(numbers.slice(0, at).join(""), element("b", { textContent: numbers[at] }), numbers.slice(at + 1).join(""));
    } else this.#lines.textContent = numbers.join("");
  }

  #follow() {
    this.#copy.scrollTop = this.#box.scrollTop;
    this.#copy.scrollLeft = this.#box.scrollLeft;
    this.#lines.scrollTop = this.#box.scrollTop;
  }

  #key(event) {
    if (this.#box.readOnly || event.isComposing) return;
    const indents = (event.ctrlKey || event.metaKey) && (event.key === "]" || event.key === "[");
    if (indents) {
      event.preventDefault();
      this.#indent(event.key === "]");
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const { value, selectionStart } = this.#box;
      const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
      const [space] = line.match(/^[ \t]*/);
      if (!space) return;
      event.preventDefault();
      this.#type(`\n${space}`);
    }
  }

  /** Replace the selection as typing would, so that the browser's own undo knows it. */
  #type(text) {
    if (!document.execCommand("insertText", false, text)) {
      this.#box.setRangeText(text, this.#box.selectionStart, this.#box.selectionEnd, "end");
      this.#box.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  #indent(isDeeper) {
    const { value, selectionStart, selectionEnd } = this.#box;
    const from = value.lastIndexOf("\n", selectionStart - 1) + 1;
    const to = value.indexOf("\n", selectionEnd) < 0 ? value.length : value.indexOf("\n", selectionEnd);
    const lines = value.slice(from, to).split("\n").map((line) => (isDeeper ? `  ${line}` : line.replace(/^ {1,2}|^\t/, "")));
    this.#box.setSelectionRange(from, to);
    this.#type(lines.join("\n"));
    this.#box.setSelectionRange(from, from + lines.join("\n").length);
  }
}

customElements.define("code-area", CodeArea);
