/**
 * Texts that can be rewritten, wherever they stand: rich texts, one-line texts, plain fields, and the code.
 *
 * A target knows its text as the writer gets it, follows it while people type around it, and says whether it still stands
 * there. Only then may an answer take its place.
 *
 * `hold()` begins to follow, `release()` ends it.
 *
 * @typedef {{text: string, hold: () => void, release: () => void, isUnchanged: () => boolean, replace: (answer: string) => void, again: () => Target|null, focus: () => void, place: () => DOMRect}} Target
 */

import { blockNodes, isOneRun, lineNodes, markNames, runNodes, textBetween } from "pq/campaigns/marked_text";

const FIELDS = '.inspect-fields input[data-name]:not([inputmode="url"], [type="number"]), .inspect-fields textarea[data-name]:not([data-name="html"])';
/** A piece of HTML, MJML or Markdown that is no words. */
const SOURCE = { html: /<[^>]*>/g, mjml: /<[^>]*>/g, markdown: /\]\([^)\s]*\)|^#{1,6} |!?\[(?=[^\]]*\]\()/gm };

/** Where an element stands, in words that survive the canvas being drawn anew. */
function addressOf(node, selector) {
  const block = node.closest("[data-block]");
  const scope = block ? `[data-block="${CSS.escape(block.dataset.block)}"]` : "#mail";
  const all = [...document.querySelectorAll(`${scope} ${selector}`)];
  return { scope, selector, at: all.indexOf(node) };
}
const atAddress = ({ scope, selector, at }) => document.querySelectorAll(`${scope} ${selector}`)[at] ?? null;

// --- TipTap ------------------------------------------------------------------------------------------------------
const isLine = (editor) => !editor.schema.marks.link;

function wholeRange(editor) {
  const { size } = editor.state.doc.content;
  return isLine(editor) ? [1, size - 1] : [0, size];
}

function editorTarget(first, { isWhole, apart }) {
  let editor = first;
  const address = addressOf(editor.view.dom, ".ProseMirror");
  const names = markNames();
  const { selection } = editor.state;
  let [from, to] = isWhole ? wholeRange(editor) : [selection.from, selection.to];
  let doc = editor.state.doc;
  const follow = ({ transaction }) => {
    ({ doc } = transaction);
    if (isWhole) [from, to] = wholeRange(editor);
    else [from, to] = [transaction.mapping.map(from, 1), transaction.mapping.map(to, -1)];
  };
  const text = textBetween(doc, from, to, names);

  /** The editor as it is now: the canvas may have been drawn anew, with the same text or another one. */
  function current() {
    if (!editor.isDestroyed) return editor;
    const next = atAddress(address)?.editor;
    if (!next || JSON.stringify(next.state.doc.toJSON()) !== JSON.stringify(doc.toJSON())) return null;
    editor = next;
    ({ doc } = next.state);
    editor.on("transaction", follow);
    return editor;
  }

  return {
    text,
    hold: () => editor.on("transaction", follow),
    release: () => editor.off("transaction", follow),
    isUnchanged: () => current() !== null && from <= to && textBetween(doc, from, to, names) === text,
    replace(answer) {
      const { state, schema, view } = current();
      const make = (nodes) => nodes.map((node) => schema.nodeFromJSON(node));
      const change = state.tr;
      if (isLine(editor)) change.replaceWith(from, to, make(lineNodes(answer, names)));
      else if (isWhole) change.replaceWith(from, to, make(blockNodes(answer, names)));
      else if (isOneRun(answer)) change.replaceWith(from, to, make(runNodes(answer, names)));
      else {
        const made = schema.nodeFromJSON({ type: "doc", content: blockNodes(answer, names) });
        change.replace(from, to, made.slice(1, made.content.size - 1));
      }
      apart(() => view.dispatch(change));
    },
    again: () => { const next = atAddress(address)?.editor; return next ? editorTarget(next, { isWhole: isWhole || next.state.selection.empty, apart }) : null; },
    focus: () => current()?.commands.focus(),
    place() {
      const now = current();
      if (!now) return document.querySelector(address.scope)?.getBoundingClientRect() ?? new DOMRect();
      if (isWhole) return now.view.dom.getBoundingClientRect();
      const [start, end] = [now.view.coordsAtPos(from), now.view.coordsAtPos(to)];
      return new DOMRect(Math.min(start.left, end.left), start.top, Math.abs(end.right - start.left), end.bottom - start.top);
    },
  };
}

// --- plain fields ------------------------------------------------------------------------------------------------
/** Where a text stands now: where it stood, or else the only place where it stands. */
function find(value, text, at) {
  if (value.slice(at, at + text.length) === text) return at;
  const first = value.indexOf(text);
  return first >= 0 && value.indexOf(text, first + 1) < 0 ? first : -1;
}

function fieldTarget(first, { isWhole, apart }) {
  const address = addressOf(first, `[data-name="${first.dataset.name}"]`);
  const start = isWhole ? 0 : first.selectionStart;
  const text = isWhole ? first.value : first.value.slice(start, first.selectionEnd);
  const current = () => (first.isConnected ? first : atAddress(address));
  const placeOf = (field) => (isWhole ? (field.value === text ? 0 : -1) : find(field.value, text, start));
  return {
    text,
    hold() {},
    release() {},
    isUnchanged: () => current() !== null && placeOf(current()) >= 0,
    replace(answer) {
      const field = current();
      const at = placeOf(field);
      const words = field.localName === "input" ? answer.trim().replace(/\s*\n\s*/g, " ") : answer;
      apart(() => {
        field.setRangeText(words, at, at + text.length, "select");
        field.dispatchEvent(new Event("input", { bubbles: true }));
      });
    },
    again: () => (current() ? fieldTarget(current(), { isWhole, apart }) : null),
    focus: () => current()?.focus(),
    place: () => (current() ?? document.body).getBoundingClientRect(),
  };
}

// --- the code ----------------------------------------------------------------------------------------------------
/** A piece of source as words: `{text, back}`, or null where it is more than the words of one text. */
function wordsOfSource(source, language) {
  if (language === "json") {
    try {
      return { text: JSON.parse(`"${source}"`), back: (answer) => JSON.stringify(answer).slice(1, -1) };
    } catch {
      return null;
    }
  }
  const names = markNames();
  let count = 0;
  const text = source.replace(SOURCE[language], (piece) => `⟦${names.nameOf("code", [piece, count++])}⟧`);
  const written = language === "markdown" ? (words) => words : (words) => words.replace(/&(?!#?\w+;)/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return { text, back: (answer) => answer.split(/⟦\/?([a-z]+-[a-z]+)⟧/).map((piece, index) => (index % 2 ? names.thingOf(piece)?.[0] ?? "" : written(piece))).join("") };
}

function codeTarget(area, { apart, code }) {
  const box = area.querySelector("textarea");
  const start = box.selectionStart;
  const source = box.value.slice(start, box.selectionEnd);
  const read = source.trim() ? wordsOfSource(source, area.getAttribute("language")) : null;
  if (!read) return null;
  return {
    text: read.text,
    hold() {},
    release() {},
    isUnchanged: () => find(box.value, source, start) >= 0,
    replace(answer) {
      const at = find(box.value, source, start);
      code.readNow();
      apart(() => {
        area.focus();
        box.setSelectionRange(at, at + source.length);
        // As typing would, so that the browser's own undo in this box knows it as one step, too.
        if (!document.execCommand("insertText", false, read.back(answer))) box.setRangeText(read.back(answer), at, at + source.length, "end");
        code.readNow();
      });
    },
    again: () => codeTarget(area, { apart, code }),
    focus: () => area.focus(),
    place: () => area.getBoundingClientRect(),
  };
}

/**
 * The text that a person stands in, or has selected.
 *
 * @param {Element} node what has the focus
 * @param {{apart: (work: () => void) => void, code: object, isWhole?: boolean}} options `isWhole`: the whole text, whatever is selected
 * @returns {{target: Target|null, reason: string}} `reason` says why there is none
 */
export function targetAt(node, { apart, code, isWhole = false }) {
  const none = (reason) => ({ target: null, reason });
  const area = node.closest?.("code-area");
  if (area) {
    const target = codeTarget(area, { apart, code });
    return target ? { target, reason: "" } : none("Select the words of one text first, without its quotes and brackets.");
  }
  const { editor } = node.closest?.(".ProseMirror") ?? {};
  const field = node.closest?.(FIELDS);
  if (!editor && !field) return none("Select some words first.");
  const isAll = isWhole || (editor ? editor.state.selection.empty : field.selectionStart === field.selectionEnd);
  const target = editor ? editorTarget(editor, { isWhole: isAll, apart }) : fieldTarget(field, { isWhole: isAll, apart });
  return target.text.trim() ? { target, reason: "" } : none("There are no words yet.");
}

/** Whether something is selected that can be rewritten, inside `root`. */
export function hasSelection(root) {
  const node = document.activeElement;
  if (!root.contains(node)) return false;
  const { editor } = node.closest(".ProseMirror") ?? {};
  if (editor) return !editor.state.selection.empty && !editor.state.selection.node;
  return (node.closest("code-area") !== null || node.matches(FIELDS)) && node.selectionStart !== node.selectionEnd;
}
