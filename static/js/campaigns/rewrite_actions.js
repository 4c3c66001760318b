/** What can be done with a passage: the words of each instruction, and which of them only a model can do. */

/** Instruction of `/v1/ai/rewrite`, its word on a chip, and whether a model is needed. */
export const ACTIONS = [
  { instruction: "shorten", label: "Shorter" },
  { instruction: "punchier", label: "Punchier" },
  { instruction: "plainer", label: "Plainer" },
  { instruction: "friendlier", label: "Friendlier" },
  { instruction: "more_formal", label: "More formal" },
  { instruction: "fix_grammar", label: "Fix grammar" },
  { instruction: "expand", label: "Longer", needsModel: true },
  { instruction: "another_try", label: "Say it differently", needsModel: true },
];
/** Those that stand beside a text at once. */
export const QUICK = ACTIONS.slice(0, 3);
/** Languages to translate into, as their codes; named in English by the browser. */
const LANGUAGES = ["ar", "cs", "da", "de", "en", "es", "fi", "fr", "he", "hu", "it", "ja", "ko", "nb", "nl", "pl", "pt", "ro", "sv", "tr", "uk", "zh"];

/** `[code, name]` of every language, by name. */
export function languages() {
  const names = new Intl.DisplayNames(["en"], { type: "language" });
  return LANGUAGES.map((code) => [code, names.of(code)]).sort((one, other) => one[1].localeCompare(other[1]));
}

/** What was asked, for the head of the answer. */
export function titleOf({ instruction, language, wish }) {
  if (instruction === "wish") return `“${wish}”`;
  if (instruction === "translate") return `In ${new Intl.DisplayNames(["en"], { type: "language" }).of(language)}`;
  return ACTIONS.find((action) => action.instruction === instruction).label;
}
