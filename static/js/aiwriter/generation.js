// The page of one generation: watches it while it is written, then shows the stored page with its calls.

import { watchGeneration } from "pq/aiwriter/drafts";

for (const section of document.querySelectorAll("[data-watch]")) {
  watchGeneration(section.querySelector("[data-generation]"), section.dataset.watch, { onDone: () => location.reload() });
}
