/**
 * Saves the mail a moment after the last change, at the latest two seconds after the first.
 *
 * Each save names the revision it was made on. When somebody else saved meanwhile, nothing is overwritten: saving stops
 * and the page asks.
 */

import { clock } from "pq/format";
import { get, patch } from "pq/http";

const QUIET_MS = 700;
const LATEST_MS = 2000;
const RETRY_MS = 5000;

/**
 * @param {import("pq/campaigns/document").MailDocument} mail
 * @param {{url: string, label: string, revision: number, onState: (state: string, words: string) => void, onSaved: (revision: number) => void, onConflict: () => void}} options
 */
export function autosave(mail, { url, label, revision, onState, onSaved, onConflict }) {
  let timer = 0;
  let dirtySince = 0;
  let saving = null;
  let isBlocked = false;

  const content = () => {
    const { subject, preview_text, body } = mail.content;
    return { variants: [{ label, subject, preview_text, body }] };
  };

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(save, wait);
  }

  function touched() {
    if (isBlocked) return;
    dirtySince ||= Date.now();
    onState("dirty", "Not saved yet");
    later(Math.max(0, Math.min(QUIET_MS, dirtySince + LATEST_MS - Date.now())));
  }

  async function save() {
    clearTimeout(timer);
    if (saving || !dirtySince || isBlocked) return saving;
    const since = dirtySince;
    dirtySince = 0;
    onState("saving", "Saving…");
    saving = patch(url, content(), { headers: { "If-Match": `"${revision}"` } })
      .then((campaign) => {
        revision = campaign.revision;
        if (!dirtySince) onState("saved", `Saved ${clock(new Date())} · version ${revision}`);
        onSaved(revision);
      })
      .catch((error) => {
        dirtySince ||= since;
        if (error.status === 412) {
          isBlocked = true;
          onState("conflict", "Not saved");
          onConflict();
          return;
        }
        const first = error.problem?.errors?.[0];
        onState("error", `Not saved: ${first?.detail ?? error.message}`);
        if (error.status === 0 || error.status >= 500 || error.status === 429) later(RETRY_MS);
      })
      .finally(() => {
        saving = null;
        if (dirtySince && !isBlocked && Date.now() - dirtySince < LATEST_MS) later(QUIET_MS);
      });
    return saving;
  }

  addEventListener("beforeunload", (event) => {
    if (dirtySince || saving) event.preventDefault();
  });

  return {
    touched,
    /** Save now and wait for it; false when something could not be saved. */
    async flush() {
      await saving;
      if (dirtySince) await save();
      return !dirtySince;
    },
    /** Something else on this page saved the campaign. */
    moveTo: (newRevision) => { revision = newRevision; },
    get revision() { return revision; },
    /** After a conflict: take the newest revision and put our content on top of it. */
    async overwrite() {
      revision = (await get(url)).revision;
      isBlocked = false;
      dirtySince ||= Date.now();
      return save();
    },
    /** Give up what is not saved, so that the page may be left. */
    forget: () => { dirtySince = 0; isBlocked = true; clearTimeout(timer); },
  };
}
