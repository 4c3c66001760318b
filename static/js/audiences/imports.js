/** Running imports: figures by WebSocket, by polling while the line is away, and a reload when one ends. */

import { duration, number } from "pq/format";
import { get } from "pq/http";
import { connect } from "pq/socket";

const POLL_EVERY = 2_000;
const OVER = new Set(["done", "failed", "cancelled", "undone"]);
const cards = new Map([...document.querySelectorAll("[data-import]")].map((card) => [card.dataset.import, card]));

function show(frame) {
  const card = cards.get(frame.id);
  if (!card) return;
  if (OVER.has(frame.status)) {
    cards.delete(frame.id);
    location.reload();
    return;
  }
  const bar = card.querySelector("[data-import-bar]");
  bar.max = Math.max(frame.total_rows, 1);
  bar.value = frame.processed;
  for (const figure of card.querySelectorAll("[data-figure]")) figure.textContent = number(frame[figure.dataset.figure]);
  if (frame.status !== "running") return;
  const pace = [`Row ${number(frame.processed)} of ${number(frame.total_rows)}`];
  if (frame.rate) pace.push(`${number(frame.rate)} rows a second`);
  if (frame.seconds_left !== null) pace.push(`done in ${duration(frame.seconds_left)}`);
  card.querySelector("[data-import-pace]").textContent = pace.join(" · ");
}

let poll;
async function ask() {
  for (const card of [...cards.values()]) {
    try {
      show(await get(card.dataset.progressUrl));
    } catch {
      // The next round asks again.
    }
  }
}

if (cards.size) {
  connect("/ws/workspace", {
    onFrame: (frame) => { if (frame.type === "import") show(frame); },
    onGap: ask,
    onState: (state) => {
      const isAway = state !== "open";
      for (const card of cards.values()) card.querySelector("[data-import-line]").hidden = state !== "reconnecting";
      clearInterval(poll);
      if (isAway) poll = setInterval(ask, POLL_EVERY);
      else ask();
    },
  });
}
