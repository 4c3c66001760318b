/** Where things are in a JSON text: for saying what is wrong at a line and column. */

/** Line and column of an offset, both from 1. */
export function placeOf(text, offset) {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

/**
 * Read a JSON text.
 *
 * @returns {{value: any}|{problem: {line: number, column: number, message: string}}}
 */
export function readJson(text) {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    // Browsers name the place in different words: "(line 2 column 3)", "at line 2 column 3", "at position 12".
    const named = /line (\d+) column (\d+)/.exec(error.message);
    const position = /position (\d+)/.exec(error.message);
    const place = named ? { line: Number(named[1]), column: Number(named[2]) } : placeOf(text, position ? Number(position[1]) : text.length);
    return { problem: { ...place, message: `Line ${place.line}, column ${place.column}: this is not valid JSON.` } };
  }
}

/**
 * Where the value at a path begins in a valid JSON text.
 *
 * @param {string} text
 * @param {(string|number)[]} path keys and indexes; as much of it as exists is followed
 * @returns {{line: number, column: number}}
 */
export function placeOfPath(text, path) {
  const token = /\s*("(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+)/y;
  const next = () => { const found = token.exec(text); return found && { word: found[1], at: token.lastIndex - found[1].length }; };

  /** Step over one value whose first token was read. */
  function skip(first) {
    if (first.word !== "[" && first.word !== "{") return;
    for (let depth = 1; depth > 0;) {
      const one = next();
      if (!one) return;
      if (one.word === "[" || one.word === "{") depth += 1;
      if (one.word === "]" || one.word === "}") depth -= 1;
    }
  }

  let here = next();
  for (const step of path) {
    if (here?.word !== "[" && here?.word !== "{") break;
    const isList = here.word === "[";
    let found = null;
    for (let index = 0, one = next(); one && one.word !== "]" && one.word !== "}"; index += 1) {
      let key = index;
      if (!isList) {
        key = JSON.parse(one.word);
        next(); // the colon
        one = next();
      }
      if (String(key) === String(step)) { found = one; break; }
      skip(one);
      one = next();
      if (one?.word === ",") one = next();
    }
    if (!found) break;
    here = found;
  }
  return placeOf(text, here?.at ?? 0);
}
