/** What the AI writer does inside the editor: rewriting, suggestions, and the subject-line lab. */

import { get } from "pq/http";
import { rewriter } from "pq/campaigns/rewriter";
import { selectionBar } from "pq/campaigns/selection_bar";
import { subjectLab } from "pq/campaigns/subject_lab";
import { subjectScore } from "pq/campaigns/subject_score";
import { suggestions } from "pq/campaigns/suggestions";

/** Blocks whose own text can be rewritten as a whole. */
const TEXTS = new Set(["heading", "text", "quote"]);

/**
 * @param {HTMLElement} root the editor's card
 * @param {import("pq/campaigns/document").MailDocument} mail
 * @param {{campaign?: string, url: string, hasModel: boolean, directory: object, code: object, say: (words: string) => void}} options
 *   `url` answers what is edited, with the brief that it has now if it has one
 * @returns {{rowsOf: (block: object, state: object) => HTMLElement[]}} what stands in the inspector of a block
 */
export function writingAid(root, mail, { campaign, url, hasModel, directory, code, say }) {
  async function context() {
    const { brief } = await get(url);
    return { ...(campaign ? { campaign } : {}), ...(brief ? { brief } : {}) };
  }
  const bar = selectionBar(root, {
    rewriter: rewriter({ directory, hasModel, context, say }),
    apart: (work) => mail.apart(work),
    code,
  });
  const suggest = suggestions(mail, { context, say });
  const row = root.querySelector("[data-subject-score]");
  if (row) {
    subjectScore(row, mail);
    row.querySelector("button").addEventListener("click", subjectLab(mail, { context, say }));
  }
  return {
    rowsOf: (block, state) => [
      ...(TEXTS.has(block.type) ? [bar.row(() => state.editor)] : []),
      ...[suggest.row(block.id, block.type)].filter(Boolean),
    ],
  };
}
