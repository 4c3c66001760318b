/** Suggestions for one field of a block: words for a button, and what a picture shows. */

import { askWriter, writtenBy } from "pq/campaigns/asking";
import { locate } from "pq/campaigns/blocks";
import { element } from "pq/element";
import { get } from "pq/http";
import { icon } from "pq/icon";
import { wordsAround } from "pq/campaigns/mail_words";

const OWN_PICTURE = /\/m\/([0-9a-f-]{36})\.\w+$/;
const NO_PICTURE = "From the words around it, not from the picture: look whether it is true.";
const NO_WORDS = "The words around the picture do not tell what it shows. Say it in your own.";

/** How a picture's file is called: its own name for pictures of the workspace, else the end of its address. */
async function fileOf(src) {
  const own = OWN_PICTURE.exec(src);
  if (!own) return { file_name: src.split("/").pop().slice(0, 200) };
  try {
    const asset = await get(`/v1/assets/${own[1]}`);
    return { file_name: asset.name.slice(0, 200), caption: asset.alt };
  } catch {
    return {}; // the text around it is left
  }
}

/** Type of block -> what is suggested for which of its fields. `choices` reads them from a result. */
const KINDS = {
  button: {
    label: "Suggest labels", field: "label", path: "cta", note: "",
    fields: (block) => ({ label: block.label, url: block.url }),
    choices: (result) => result.labels.map(({ label, reason }) => ({ text: label, reason })),
  },
  image: {
    label: "Suggest alt text", field: "alt", path: "alt-text", note: NO_PICTURE,
    fields: async (block) => ({ ...(block.alt ? { caption: block.alt } : {}), ...(await fileOf(block.src)) }),
    choices: (result) => (result.text ? [{ text: result.text, reason: "" }] : []),
  },
};
KINDS.product = { ...KINDS.button, fields: (block) => ({ label: block.label, url: block.url, around: [block.title, block.text].filter(Boolean).join("\n") }) };

/**
 * @param {import("pq/campaigns/document").MailDocument} mail
 * @param {{context: () => Promise<object>, say: (words: string) => void}} options
 */
export function suggestions(mail, { context, say }) {
  /** Put a suggestion into the block: one step of the history. */
  function use(id, field, text) {
    mail.change("suggestion", (content) => {
      const found = locate(content.body, id);
      if (found) found[0][found[1]][field] = text;
    }, { isStructural: true });
    say("Taken over. Undo brings the old words back.");
  }

  return {
    /** A row for a block's inspector, or null where nothing is suggested. */
    row(id, type) {
      const kind = KINDS[type];
      if (!kind) return null;
      const offered = [];
      const list = element("ul", { className: "suggestions", hidden: true });
      list.setAttribute("aria-label", kind.label);
      const status = element("p", { className: "xs mut", hidden: true });
      status.setAttribute("role", "status");
      const begin = element("button", { type: "button", className: "chip" }, kind.label);
      const tell = (words, isTrouble = false) => {
        status.hidden = !words;
        status.textContent = words;
        status.classList.toggle("c-complaint", isTrouble);
      };

      begin.addEventListener("click", async () => {
        if (begin.ariaDisabled === "true") return;
        begin.setAttribute("aria-disabled", "true");
        tell("Writing…");
        try {
          const [blocks, at] = locate(mail.content.body, id);
          const fields = { around: wordsAround(mail.content.body, id), ...(await kind.fields(blocks[at])) };
          const generation = await askWriter(kind.path, { ...(await context()), ...fields, ...(offered.length ? { earlier: offered } : {}) });
          const choices = kind.choices(generation.result);
          offered.push(...choices.map((choice) => choice.text));
          list.replaceChildren(...choices.map(({ text, reason }) => {
            const take = element("button", { type: "button", className: "btn s", textContent: text });
            take.addEventListener("click", () => use(id, kind.field, text));
            return element("li", {}, take, ...(reason ? [element("span", { className: "xs mut", textContent: reason })] : []));
          }));
          list.hidden = choices.length === 0;
          tell(choices.length ? [kind.note, `${writtenBy(generation)}.`].filter(Boolean).join(" ") : NO_WORDS);
          begin.textContent = "Suggest others";
        } catch (error) {
          tell(error.problem?.errors?.[0]?.detail ?? error.message, true);
        } finally {
          begin.removeAttribute("aria-disabled");
        }
      });
      return element("div", { className: "suggest" }, element("div", { className: "row" }, icon("sparkle", "s"), begin), list, status);
    },
  };
}
