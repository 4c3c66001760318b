/** What every page starts. Page scripts live in static/js/<app>/ and import the same modules as `pq/<name>`. */

import { startClipboard } from "pq/clipboard";
import { startDialogs } from "pq/dialog";
import { startForms } from "pq/forms";
import { csrfToken } from "pq/http";
import { startMenus } from "pq/menu";
import { startPalette } from "pq/palette";
import { startShortcuts } from "pq/shortcuts";
import { startTabs } from "pq/tabs";
import { startTheme } from "pq/theme";
import { startTimes } from "pq/time";
import { adoptServerToasts, toast } from "pq/toast";

startTheme();
startMenus();
startDialogs();
startForms();
startTabs();
startPalette();
startShortcuts();
startTimes();
startClipboard();
adoptServerToasts();

if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  for (const key of document.querySelectorAll("[data-modifier-key]")) key.textContent = `⌘${key.dataset.modifierKey}`;
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:responseError", (event) => {
  toast(`That did not work (${event.detail.xhr.status}). Nothing was changed; try again.`, { tone: "error" });
});
document.addEventListener("htmx:sendError", () => {
  toast("No connection. Nothing was lost; try again in a moment.", { tone: "error" });
});
