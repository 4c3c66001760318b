// The page of one generation: its drafts with their receipts; while it is written, everything as it happens.

import { agentDesk } from "pq/aiwriter/desk";
import { watchGeneration } from "pq/aiwriter/drafts";

for (const section of document.querySelectorAll("[data-watch]")) {
  const isOver = section.dataset.over === "yes";
  const desk = agentDesk(document.querySelector("[data-desk-card]"));
  desk.begin();
  watchGeneration(section.querySelector("[data-generation]"), section.dataset.watch, {
    isOver,
    facts: JSON.parse(document.getElementById("brief-facts").textContent) ?? [],
    onStage: (frame) => desk.stage(frame),
    onDone: (frame) => {
      desk.end(frame.status, frame.generation);
      if (!isOver) location.reload();
    },
  });
}
