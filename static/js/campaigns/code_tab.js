/**
 * The source of a mail: its blocks as JSON, or HTML, MJML or Markdown as people write them.
 *
 * What cannot be read yet stays in the box and is said with its place; the document takes over what can.
 */

import "pq/code_area";
import { debounce } from "pq/forms";
import { placeOfPath, readJson } from "pq/json_place";

const READ_MS = 300;
const LANGUAGES = { blocks: "json", html: "html", mjml: "mjml", markdown: "markdown" };

/** Blocks as people read them: what a block is comes first. */
const ordered = ({ id, type, columns, ...fields }) => ({ type, ...fields, ...(columns ? { columns: columns.map((column) => column.map(ordered)) } : {}), id });
const sourceOf = (blocks) => JSON.stringify(blocks.map(ordered), null, 2);
/** The same blocks, whatever the order of their fields. */
const same = (one, other) => Array.isArray(one) && sourceOf(one) === sourceOf(other);

/**
 * @param {HTMLElement} area the <code-area>
 * @param {import("pq/campaigns/document").MailDocument} mail
 */
export function codeTab(area, mail) {
  let isUnread = false;

  function readSource() {
    if (mail.content.format !== "blocks") {
      mail.change("source", (content) => { content.body = area.value; });
      return;
    }
    const { value, problem } = readJson(area.value);
    isUnread = Boolean(problem) || !Array.isArray(value);
    if (isUnread) area.show(problem ?? { line: 1, column: 1, message: "Line 1: the body is a list of blocks: […]." });
    else {
      area.show(null);
      mail.change("source", (content) => { content.body = value; });
    }
  }
  const read = debounce(readSource, READ_MS);
  area.addEventListener("input", read);

  return {
    /** Show what the document says now, unless the box holds just that in other words. */
    refresh() {
      const { format, body } = mail.content;
      area.setAttribute("language", LANGUAGES[format]);
      if (format !== "blocks") area.value = body;
      else if (!same(readJson(area.value).value, body)) area.value = sourceOf(body);
      isUnread = false;
    },
    /** Take over at once what the box holds. */
    readNow() {
      read.cancel();
      readSource();
    },
    /** Whether the box holds what could not be read. */
    get isUnread() { return isUnread; },
    /**
     * Say what the server found, where it is in the source; null when all is well.
     *
     * @param {{detail?: string, line?: number, column?: number, errors?: {field: string, detail: string}[]}|null} problem
     */
    showProblem(problem) {
      if (isUnread) return;
      if (!problem) return area.show(null);
      const first = problem.errors?.find((one) => one.field.startsWith("body"));
      if (!first) return area.show(null);
      if (mail.content.format !== "blocks") return area.show({ line: problem.line, column: problem.column, message: first.detail });
      const place = placeOfPath(area.value, first.field.split(".").slice(1));
      return area.show({ ...place, message: `${first.field}: ${first.detail}` });
    },
  };
}
