/** Keep `<time data-when>` fresh, in the reader's own time zone; the exact moment stays in its title. */

import { when } from "pq/format";

export function refreshTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-when]")) {
    const text = when(element.dateTime);
    if (element.textContent !== text) element.textContent = text;
    element.title = new Date(element.dateTime).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });
  }
}

export function startTimes() {
  refreshTimes();
  setInterval(() => { if (document.visibilityState === "visible") refreshTimes(); }, 30_000);
  document.addEventListener("htmx:afterSettle", (event) => refreshTimes(event.target.parentNode ?? document));
}
