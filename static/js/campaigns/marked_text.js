/**
 * Rich text as plain text that a writer can edit without losing its formatting.
 *
 * Paragraphs are parted by an empty line, bullets begin with "- ", merge tags are Mustache. What else looks different is
 * held by marks, `⟦link-a⟧the beans⟦/link-a⟧`, whose meaning stays here.
 */

import { tagSource } from "pq/campaigns/merge_tags";

const MARK = /⟦(\/?)([a-z]+-[a-z]+)⟧/;
const BULLET = /^\s*[-•*]\s+/;
const NUMBERED = /^\s*\d+[.)]\s+/;

const letters = (number) => (number < 26 ? String.fromCharCode(97 + number) : letters(Math.floor(number / 26) - 1) + letters(number % 26));

/** A passage without its marks. */
export const withoutMarks = (text) => text.replace(new RegExp(MARK, "g"), "");

/** Names for things that plain text has no words for; the same thing gets the same name. */
export function markNames() {
  const names = new Map();
  const things = new Map();
  return {
    nameOf(kind, thing) {
      const key = JSON.stringify(thing);
      if (!names.has(key)) {
        const name = `${kind}-${letters(names.size)}`;
        names.set(key, name);
        things.set(name, thing);
      }
      return names.get(key);
    },
    thingOf: (name) => things.get(name),
  };
}

function inlineText(fragment, names) {
  let text = "";
  let open = "";
  const turn = (name) => {
    if (name === open) return;
    text += (open && `⟦/${open}⟧`) + (name && `⟦${name}⟧`);
    open = name;
  };
  fragment.forEach((node) => {
    const marks = node.marks.map((mark) => mark.toJSON());
    turn(marks.length ? names.nameOf(marks.some((mark) => mark.type === "link") ? "link" : "style", marks) : "");
    if (node.isText) text += node.text;
    else if (node.type.name === "mergeTag") text += tagSource(node.attrs);
    else if (node.type.name === "hardBreak") text += "\n";
  });
  turn("");
  return text;
}

function blockText(node, names) {
  const items = [];
  if (!node.type.name.endsWith("List")) return inlineText(node.content, names);
  node.forEach((item, _at, index) => {
    const lines = [];
    item.forEach((inner) => lines.push(blockText(inner, names)));
    items.push(`${node.type.name === "orderedList" ? `${index + 1}.` : "-"} ${lines.join(" ")}`);
  });
  return items.join("\n");
}

/** What stands between two places of a ProseMirror document. */
export function textBetween(doc, from, to, names) {
  const { content } = doc.slice(from, to);
  if (content.firstChild?.isInline) return inlineText(content, names);
  const blocks = [];
  content.forEach((node) => blocks.push(node.type.name === "listItem" ? `- ${blockText(node.firstChild, names)}` : blockText(node, names)));
  return blocks.join("\n\n");
}

function inlineNodes(text, names, { hasBreaks = true } = {}) {
  const nodes = [];
  let marks = [];
  for (const piece of text.split(/(⟦\/?[a-z]+-[a-z]+⟧|\n)/)) {
    const mark = MARK.exec(piece);
    if (mark) marks = mark[1] ? [] : names.thingOf(mark[2]) ?? [];
    else if (piece === "\n" && hasBreaks) nodes.push({ type: "hardBreak" });
    else if (piece) nodes.push({ type: "text", text: piece === "\n" ? " " : piece, marks });
  }
  return nodes;
}

function grouped(lines) {
  const groups = [];
  for (const line of lines) {
    const kind = BULLET.test(line) ? "bulletList" : NUMBERED.test(line) ? "orderedList" : "paragraph";
    if (groups.at(-1)?.kind === kind) groups.at(-1).lines.push(line);
    else groups.push({ kind, lines: [line] });
  }
  return groups;
}

/** One line as inline nodes, for texts that cannot have more. */
export const lineNodes = (text, names) => inlineNodes(text.trim().replace(/\s*\n\s*/g, " "), names, { hasBreaks: false });

/** Whether a text is a run of words within one paragraph. */
export const isOneRun = (text) => !/\n\s*\n/.test(text.trim()) && !text.split("\n").some((line) => BULLET.test(line) || NUMBERED.test(line));

/** A text within a paragraph as inline nodes. */
export const runNodes = (text, names) => inlineNodes(text, names);

/** A text as paragraphs and lists. */
export function blockNodes(text, names) {
  return text.trim().split(/\n\s*\n/).flatMap((part) => grouped(part.split("\n").filter((line) => line.trim())).map(({ kind, lines }) => {
    if (kind === "paragraph") return { type: kind, content: inlineNodes(lines.join("\n"), names) };
    const bare = lines.map((line) => line.replace(kind === "bulletList" ? BULLET : NUMBERED, ""));
    return { type: kind, content: bare.map((line) => ({ type: "listItem", content: [{ type: "paragraph", content: inlineNodes(line, names) }] })) };
  }));
}
