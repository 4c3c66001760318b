/**
 * Saves a mail a moment after the last change, at the latest two seconds after the first.
 *
 * Each save names the revision it was made on. When somebody else saved meanwhile, nothing is overwritten: saving stops
 * and the page asks. Without a connection changes stay here and are saved when it is back.
 */

import { clock } from "pq/format";
import { get, patch } from "pq/http";

const QUIET_MS = 700;
const LATEST_MS = 2000;
const RETRY_MS = 5000;
const OFFLINE = "Offline. Your changes are kept here and saved when you are back.";

/**
 * @param {import("pq/campaigns/document").MailDocument} mail
 * @param {{url: string, revision: string|number, payload: (content: object) => object, revisionOf: (answer: object) => string|number, onState: (state: string, words: string) => void, onSaved?: (revision: string|number) => void, onConflict: () => void}} options
 *   `payload` makes the body of the PATCH from the content; `revisionOf` reads the new revision from its answer (and from
 *   a GET of the same address); the revision goes out as `If-Match`.
 */
export function autosave(mail, { url, revision, payload, revisionOf, onState, onSaved = () => {}, onConflict }) {
  let timer = 0;
  let dirtySince = 0;
  let saving = null;
  let isBlocked = false;
  let isForgotten = false;

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(save, wait);
  }

  function touched() {
    if (isBlocked) {
      if (!isForgotten) onConflict(); // the question was put off: changes are still not saved
      return;
    }
    dirtySince ||= Date.now();
    if (navigator.onLine) onState("dirty", "Not saved yet");
    else onState("offline", OFFLINE);
    later(Math.max(0, Math.min(QUIET_MS, dirtySince + LATEST_MS - Date.now())));
  }

  function failed(error) {
    if (error.status === 412) {
      isBlocked = true;
      onState("conflict", "Not saved");
      onConflict();
    } else if (error.status === 0) {
      onState("offline", OFFLINE);
      later(RETRY_MS);
    } else {
      const first = error.problem?.errors?.[0];
      onState("error", `Not saved: ${first?.detail ?? error.message}`);
      if (error.status >= 500 || error.status === 429) later(RETRY_MS);
    }
  }

  async function save() {
    clearTimeout(timer);
    if (saving || !dirtySince || isBlocked) return saving;
    const since = dirtySince;
    dirtySince = 0;
    onState("saving", "Saving…");
    saving = patch(url, payload(mail.content), { headers: { "If-Match": `"${revision}"` } })
      .then((answer) => {
        revision = revisionOf(answer);
        if (!dirtySince) onState("saved", `Saved ${clock(new Date())}${typeof revision === "number" ? ` · version ${revision}` : ""}`);
        onSaved(revision);
      })
      .catch((error) => {
        dirtySince ||= since;
        failed(error);
      })
      .finally(() => {
        saving = null;
        if (dirtySince && !isBlocked && Date.now() - dirtySince < LATEST_MS) later(QUIET_MS);
      });
    return saving;
  }

  addEventListener("online", () => { if (dirtySince) save(); });
  addEventListener("offline", () => { if (dirtySince && !isBlocked) onState("offline", OFFLINE); });
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
    /** Something else on this page saved the mail. */
    moveTo: (newRevision) => { revision = newRevision; },
    get revision() { return revision; },
    /** After a conflict: take the newest revision and put our content on top of it. */
    async overwrite() {
      revision = revisionOf(await get(url));
      isBlocked = false;
      dirtySince ||= Date.now();
      return save();
    },
    /** Give up what is not saved, so that the page may be left. */
    forget: () => { dirtySince = 0; isBlocked = true; isForgotten = true; clearTimeout(timer); },
  };
}
