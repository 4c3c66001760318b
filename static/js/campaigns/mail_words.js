/** What a mail says in plain words: for the writer, so that what it proposes fits. */

const KEYS = ["text", "html", "label", "title", "attribution", "price", "alt"];
const NEAR = 2;
const LONGEST = 6000;

const plain = (html) => new DOMParser().parseFromString(html.replace(/<\/(p|li|h\d)>|<br\s*\/?>/g, "\n$&"), "text/html").body.textContent.trim();

const wordsOf = (block) => [
  ...KEYS.filter((key) => typeof block[key] === "string").map((key) => (key === "html" ? plain(block[key]) : block[key])),
  ...(block.columns ?? []).flat().map(wordsOf),
].filter(Boolean).join("\n");

/** The words of a whole body, whatever its format. */
export const mailWords = (body) => (Array.isArray(body) ? body.map(wordsOf).filter(Boolean).join("\n\n") : plain(body)).slice(0, LONGEST);

/** The words around a block: its neighbours on both sides. */
export function wordsAround(body, id) {
  const flat = body.flatMap((block) => [block, ...(block.columns ?? []).flat()]);
  const at = flat.findIndex((block) => block.id === id);
  const near = flat.filter((block, index) => index !== at && !block.columns && Math.abs(index - at) <= NEAR);
  return near.map(wordsOf).filter(Boolean).join("\n\n").slice(0, LONGEST);
}
