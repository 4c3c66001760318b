/**
 * Merge tags between what is stored and what people read.
 *
 * Stored is Mustache. A tag with a fallback of its own is stored as a pair of sections and is one thing to its writer:
 *   {{#first_name}}{{first_name}}{{/first_name}}{{^first_name}}there{{/first_name}}   first_name else "there"
 * Words that only make sense with the value belong to it too ("Hi {{first_name}}," else "Hello,").
 */

const NAME = "[A-Za-z][\\w.]*";
const WITH_FALLBACK = String.raw`\{\{#\s*(?<guarded>${NAME})\s*\}\}(?<before>[^{}]*)\{\{\s*\k<guarded>\s*\}\}(?<after>[^{}]*)\{\{\/\s*\k<guarded>\s*\}\}\{\{\^\s*\k<guarded>\s*\}\}(?<fallback>[^{}]*)\{\{\/\s*\k<guarded>\s*\}\}`;
/** Not Mustache, but what many people type first; it becomes the shape above. */
const WITH_PIPE = String.raw`\{\{\s*(?<piped>${NAME})\s*\|\s*["“]?(?<instead>[^{}|"“”]*)["”]?\s*\}\}`;
const PLAIN = String.raw`\{\{\{?\s*(?<plain>[#^/]?${NAME})\s*\}?\}\}`;
const ANY = new RegExp(`${WITH_FALLBACK}|${WITH_PIPE}|${PLAIN}`, "g");

/** @typedef {{name: string, fallback: string, before: string, after: string}} Tag */

function tagOf({ guarded, before, after, fallback, piped, instead, plain }) {
  if (guarded) return { name: guarded, fallback, before, after };
  return { name: piped ?? plain, fallback: (instead ?? "").trim(), before: "", after: "" };
}

/** Where the tags of a text are: `[{tag, from, to}]`. */
export const findTags = (text) =>
  [...text.matchAll(ANY)].map((found) => ({ tag: tagOf(found.groups), from: found.index, to: found.index + found[0].length }));

/** A text as alternating strings and tags. */
export function splitTags(text) {
  const parts = [];
  let last = 0;
  for (const { tag, from, to } of findTags(text)) {
    if (from > last) parts.push(text.slice(last, from));
    parts.push(tag);
    last = to;
  }
  if (last < text.length) parts.push(text.slice(last));
  return parts;
}

/** A tag as it is stored. @param {Tag} tag */
export function tagSource({ name, fallback = "", before = "", after = "" }) {
  if (!fallback && !before && !after) return `{{${name}}}`;
  return `{{#${name}}}${before}{{${name}}}${after}{{/${name}}}{{^${name}}}${fallback}{{/${name}}}`;
}

/** Words that may stand inside a tag: braces would begin another one. */
export const tagWords = (text) => text.replace(/[{}\n]/g, "");

/** Half of a condition that somebody wrote by hand. */
export const isCondition = (name) => /^[#^/]/.test(name);

/** What a tag is called where it stands: the parts of its chip. `isKnown` is false for what no contact has. */
export function tagDirectory(tags) {
  const known = new Map(tags.map((tag) => [tag.name, tag]));
  const bare = (name) => name.replace(/^[#^/]/, "");
  return {
    tags,
    isKnown: (name) => known.has(bare(name)),
    /** Filled in by the system, so never empty. */
    isSystem: (name) => known.get(name)?.isSystem === true,
    /** What the field itself says when a contact has no value. */
    fieldFallback: (name) => known.get(name)?.fallback ?? "",
    /** Why a tag would print nothing, or "". */
    reason: (name) => (known.has(bare(name)) ? "" : `No contact has a field “${bare(name)}”, so nothing is printed here.`),
  };
}

/** A text as people read it where no chip can stand: `Hello ‹first name›`. */
export const readable = (text) => splitTags(text).map((part) => (typeof part === "string" ? part : `${part.before}‹${part.name.replace(/[._]/g, " ")}›${part.after}`)).join("");

/** The text of a chip: `first_name`, `else “there”`. */
export function chipWords(tag, directory) {
  if (isCondition(tag.name)) {
    const name = tag.name.slice(1);
    return { main: { "#": `if ${name}`, "^": `if no ${name}`, "/": "end" }[tag.name[0]], rest: "" };
  }
  const fallback = tag.fallback || (tag.before || tag.after ? "" : directory.fieldFallback(tag.name));
  return { before: tag.before, main: tag.name, after: tag.after, rest: fallback ? `else “${fallback}”` : "" };
}
