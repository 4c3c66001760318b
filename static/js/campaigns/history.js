/**
 * The history of a mail: a dialog with its kept versions, what each looked like, what changed since, and going back.
 *
 * List and details come from the server as they are to be shown; this only moves between them.
 */

import { element, iconButton } from "pq/element";
import { post } from "pq/http";
import { toast } from "pq/toast";

async function fragment(url) {
  const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(answer.status === 404 ? "This version is not kept any more." : "The history could not be loaded.");
  return new DOMParser().parseFromString(await answer.text(), "text/html").body.children;
}

/**
 * @param {{url: string, revision: () => string|number, onRestored: (answer: object) => void}} options
 *   `url` answers the list; `revision` goes along with a restore as `If-Match`; `onRestored` gets its answer.
 */
export async function openHistory({ url, revision, onRestored }) {
  const list = element("div", { className: "versions" });
  const detail = element("div", { className: "version", tabIndex: -1 });
  detail.setAttribute("aria-live", "polite");
  const dialog = element("dialog", { className: "dialog history" },
    element("div", { className: "history-head" }, element("h2", { id: "history-h", textContent: "History" }), iconButton("close", "Close", () => dialog.close(), "btn quiet s icon")),
    element("div", { className: "history-panes" }, list, detail));
  dialog.setAttribute("aria-labelledby", "history-h");
  dialog.addEventListener("close", () => dialog.remove(), { once: true });
  document.body.append(dialog);
  dialog.showModal();

  async function show(place, address) {
    try {
      place.replaceChildren(...(await fragment(address)));
    } catch (error) {
      place.replaceChildren(element("p", { className: "sm c-complaint", role: "alert", textContent: error.message }));
    }
  }

  async function choose(button) {
    for (const other of list.querySelectorAll("[data-version]")) other.toggleAttribute("aria-current", other === button);
    button.setAttribute("aria-current", "true");
    await show(detail, button.dataset.version);
  }

  async function restore(button) {
    button.disabled = true;
    try {
      onRestored(await post(button.dataset.restore, undefined, { headers: { "If-Match": `"${revision()}"` } }));
      dialog.close();
      toast("Restored. What it said before is in the history.");
    } catch (error) {
      toast(error.message, { tone: "error" });
      button.disabled = false;
    }
  }

  dialog.addEventListener("click", (event) => {
    const version = event.target.closest("[data-version]");
    if (version) choose(version);
    const view = event.target.closest("[data-version-view]")?.dataset.versionView;
    if (view) {
      for (const button of detail.querySelectorAll("[data-version-view]")) button.setAttribute("aria-pressed", String(button.dataset.versionView === view));
      for (const pane of detail.querySelectorAll("[data-version-pane]")) pane.hidden = pane.dataset.versionPane !== view;
    }
    const button = event.target.closest("[data-restore]");
    if (button) restore(button);
  });

  await show(list, url);
  const rows = list.querySelectorAll("[data-version]");
  const first = rows[1] ?? rows[0]; // the newest is what the mail says now
  if (first) await choose(first);
}
