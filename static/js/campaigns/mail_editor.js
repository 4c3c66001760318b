/**
 * The editor of a mail: subject, preview text, blocks or source, undo, saving, conflicts.
 *
 * Pages bring the markup of templates/campaigns/_mail_editor.html and _mail_state.html and say where things are saved;
 * nothing in here knows whether it is a campaign's variant or a template.
 */

import { toast } from "pq/toast";
import { autosave } from "pq/campaigns/autosave";
import { KINDS } from "pq/campaigns/blocks";
import { blockCanvas } from "pq/campaigns/canvas";
import { codeTab } from "pq/campaigns/code_tab";
import { askWhose } from "pq/campaigns/conflict";
import { convertBody } from "pq/campaigns/convert";
import { MailDocument } from "pq/campaigns/document";
import { editorPool } from "pq/campaigns/editors";
import { tagDirectory } from "pq/campaigns/merge_tags";
import { openHistory } from "pq/campaigns/history";
import { pickMenu } from "pq/campaigns/pick_menu";
import { subjectLines } from "pq/campaigns/subject_lines";
import { tagPicker } from "pq/campaigns/tag_picker";
import { writingAid } from "pq/campaigns/writing_aid";

/**
 * @param {HTMLElement} root
 * @param {{
 *   content: {subject: string, preview_text: string, format: string, body: object[]|string},
 *   canEdit: boolean, tags: object[], networks: string[], what: string,
 *   urls: {api: string, editor: string, convert: string, versions?: string},
 *   revision: string|number, payload: (content: object) => object, revisionOf: (answer: object) => string|number,
 *   contentOf: (answer: object) => object,
 *   writer?: {campaign?: string, url: string, hasModel: boolean},
 *   onSaved?: (revision: string|number) => void, onContent?: (content: object) => void
 * }} options
 *   `contentOf` reads subject, preview text, format and body from an answer that changed them on the server;
 *   `writer`: the AI writer helps here, see writing_aid.js; `what` is edited, as in "this campaign"; `onContent` is told the content at first and after each change.
 */
export function mailEditor(root, options) {
  const { canEdit, tags, networks, urls, what, onContent = () => {} } = options;
  const one = (selector) => root.querySelector(selector);
  const page = (selector) => document.querySelector(selector);
  const mail = new MailDocument(options.content);
  const directory = tagDirectory(tags);
  const picker = tagPicker(directory);
  const announcer = page("[data-announcer]");
  const say = (words) => { announcer.textContent = words; };
  const isBlocks = () => mail.content.format === "blocks";

  // --- saving ------------------------------------------------------------------------------------------------------
  const saved = page("[data-saved]");
  function showState(state, words) {
    page("[data-saved-text]").textContent = words;
    saved.dataset.state = state;
  }
  const saver = autosave(mail, {
    url: urls.api,
    revision: options.revision,
    payload: options.payload,
    revisionOf: options.revisionOf,
    onState: showState,
    onSaved: options.onSaved,
    onConflict: async () => {
      const whose = await askWhose({ what });
      if (whose === "mine") await saver.overwrite();
      if (whose === "theirs") { saver.forget(); location.reload(); }
    },
  });

  // --- what is edited with what ------------------------------------------------------------------------------------
  const lines = subjectLines(root, mail, { editors: editorPool({ editorUrl: urls.editor, canEdit, directory, tagPicker: picker }), directory });
  const pickAnyKind = pickMenu({
    id: "blocks-menu",
    label: "Add a block",
    entries: Object.entries(KINDS).map(([type, { label, icon, hint, words }]) => ({ label, icon, hint, words, value: type })),
  });
  const pickKind = (anchor, { isNested = false } = {}) => pickAnyKind(anchor, { isAllowed: (entry) => !(isNested && entry.value === "columns") });
  const code = codeTab(one("code-area"), mail);
  const aid = canEdit && options.writer ? writingAid(root, mail, { ...options.writer, directory, code, say }) : null;
  const canvas = blockCanvas(one("[data-canvas]"), mail, { editorUrl: urls.editor, canEdit, directory, networks, tagPicker: picker, pickKind, say, aid });
  const formatChoice = one("[data-format]");
  let isCode = !isBlocks();

  function showMode() {
    isCode ||= !isBlocks();
    one("[data-canvas]").hidden = isCode;
    one("[data-code]").hidden = !isCode;
    for (const button of root.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String((button.dataset.mode === "code") === isCode));
    const add = one("[data-add]");
    if (add) add.hidden = isCode;
    formatChoice.value = mail.content.format;
    if (isCode) code.refresh();
    else canvas.render();
  }

  async function convert(format) {
    const body = await convertBody(urls.convert, mail.content, format);
    if (body !== null) {
      isCode = format !== "blocks" || isCode;
      mail.change("format", (content) => Object.assign(content, { format, body }), { isStructural: true });
    }
    formatChoice.value = mail.content.format;
    return body !== null;
  }

  formatChoice.addEventListener("change", () => convert(formatChoice.value));
  root.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-mode]");
    if (!button || (button.dataset.mode === "code") === isCode) return;
    if (isCode && code.isUnread) {
      toast("The code cannot be read yet. Mend it first, or undo.", { tone: "error" });
      return;
    }
    if (button.dataset.mode === "blocks" && !isBlocks() && !(await convert("blocks"))) return;
    isCode = button.dataset.mode === "code";
    showMode();
  });
  one("[data-add]")?.addEventListener("click", (event) => canvas.add(event.currentTarget));

  // --- changes, undo, redo -----------------------------------------------------------------------------------------
  const undo = page("[data-undo]");
  const redo = page("[data-redo]");
  let format = mail.content.format;

  function showContent({ isStructural }) {
    lines.refresh();
    if (mail.content.format !== format) {
      format = mail.content.format;
      showMode();
    } else if (isCode) code.refresh();
    else if (isStructural) canvas.render({ focus: true });
    if (undo) undo.disabled = !mail.canUndo;
    if (redo) redo.disabled = !mail.canRedo;
    onContent(mail.content);
  }
  mail.addEventListener("changed", (event) => { showContent(event.detail); saver.touched(); });
  mail.addEventListener("adopted", (event) => showContent(event.detail));
  undo?.addEventListener("click", () => mail.undo());
  redo?.addEventListener("click", () => mail.redo());
  document.addEventListener("keydown", (event) => {
    if (!canEdit || !(event.ctrlKey || event.metaKey) || !["z", "y"].includes(event.key.toLowerCase())) return;
    // In the code, and in the small forms of menus, the browser's own undo is the finer one.
    if (event.target.closest("code-area, [popover], dialog") || !(root.contains(event.target) || event.target === document.body)) return;
    event.preventDefault();
    if (event.shiftKey || event.key.toLowerCase() === "y") mail.redo();
    else mail.undo();
  }, true);

  for (const link of document.querySelectorAll("[data-leave]")) {
    link.addEventListener("click", async (event) => {
      if (event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      if (await saver.flush()) location.assign(link.href);
      else toast("Your last changes are not saved. Mend them first.", { tone: "error" });
    });
  }

  /** The server changed the mail and saved it: show that; one undo step. */
  function adopt(answer, words) {
    saver.moveTo(options.revisionOf(answer));
    mail.adopt(options.contentOf(answer));
    showState("saved", words);
  }
  one("[data-history]")?.addEventListener("click", async () => {
    if (!(await saver.flush())) return;
    openHistory({ url: urls.versions, revision: () => saver.revision, onRestored: (answer) => adopt(answer, "Restored") });
  });

  showMode();
  onContent(mail.content);
  return {
    saver,
    say,
    adopt,
    /** What the server says about the content: its refusal as problem+json, or null. */
    showProblem: (problem) => { if (isCode) code.showProblem(problem); },
  };
}
