/** What two texts differ in, word by word. Merge tags are one word each. */

import { element } from "pq/element";
import { chipWords, splitTags } from "pq/campaigns/merge_tags";

/** More comparisons than this take too long to wait for: the texts are shown without marks then. */
const MOST_CELLS = 2_000_000;

const words = (text) => splitTags(text).flatMap((part) => (typeof part === "string" ? part.match(/\s+|[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|[^\s\p{L}\p{N}]/gu) ?? [] : [part]));
const keyOf = (token) => (typeof token === "string" ? token : JSON.stringify(token));

/**
 * @param {string} before
 * @param {string} after
 * @returns {{kind: "same"|"gone"|"new", token: string|object}[]} in reading order
 */
export function wordDiff(before, after) {
  const [old, now] = [words(before), words(after)];
  const [a, b] = [old.map(keyOf), now.map(keyOf)];
  if (a.length * b.length > MOST_CELLS) return [...old.map((token) => ({ kind: "gone", token })), ...now.map((token) => ({ kind: "new", token }))];
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const parts = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { parts.push({ kind: "same", token: now[j] }); i += 1; j += 1; }
    else if (j >= b.length || (i < a.length && lengths[i + 1][j] >= lengths[i][j + 1])) { parts.push({ kind: "gone", token: old[i] }); i += 1; }
    else { parts.push({ kind: "new", token: now[j] }); j += 1; }
  }
  return parts;
}

function shown(token, directory) {
  if (typeof token === "string") return token;
  const { main, rest } = chipWords(token, directory);
  return element("span", { className: "tag" }, main, ...(rest ? [" ", element("em", { textContent: rest })] : []));
}

function pane(parts, kind, name, directory) {
  const nodes = [];
  let run = null;
  for (const part of parts) {
    if (part.kind === "same") { run = null; nodes.push(shown(part.token, directory)); }
    else if (part.kind === kind) {
      if (!run) { run = element(name); nodes.push(run); }
      run.append(shown(part.token, directory));
    }
  }
  return nodes;
}

/** Both texts as nodes: what is gone is marked in the old one, what is new in the new one. */
export function diffPanes(before, after, directory) {
  const parts = wordDiff(before, after);
  return { was: pane(parts, "gone", "del", directory), is: pane(parts, "new", "ins", directory) };
}
