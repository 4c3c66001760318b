/**
 * The home page: the strips of running campaigns are moved by the same frames as the live page; the figures of the period
 * and the health of the list are read again when those have moved, and now and then.
 */

import { clock, number, percent } from "pq/format";
import { connect } from "pq/socket";

/** Not oftener than this, and not all who look at once. */
const AGAIN = 15_000;
const ANYWAY = 60_000;
let readAt = Date.now();

function readFigures() {
  if (document.hidden || Date.now() - readAt < AGAIN) return;
  readAt = Date.now() + (Math.random() * AGAIN) / 3;
  document.getElementById("home-kpis")?.dispatchEvent(new CustomEvent("figures-moved"));
}

setInterval(readFigures, ANYWAY);

for (const id of JSON.parse(document.getElementById("home-data").textContent).campaigns) {
  const strip = document.querySelector(`[data-running="${CSS.escape(id)}"]`);
  if (strip) connect(`/ws/campaigns/${id}`, { onFrame: (frame) => requestAnimationFrame(() => show(strip, frame)) });
}

function show(strip, frame) {
  if (frame.type !== "totals") return;
  readFigures();
  const write = (name, text) => { strip.querySelector(`[data-${name}]`).textContent = text; };
  const { progress, totals } = frame;
  write("share", percent(progress.share, 0));
  write("sent", number(totals.sent));
  write("total", number(progress.to_send));
  write("opens", number(totals.unique_opens));
  write("clicks", number(totals.unique_clicks));
  write("speed", progress.per_minute ? ` · ${number(progress.per_minute)} a minute` : "");
  write("finish", progress.finish_at ? `Finishes about ${clock(progress.finish_at)}` : progress.finished_at ? `Finished ${clock(progress.finished_at)}` : "");
  const bar = strip.querySelector("progress");
  bar.max = progress.total || 1;
  bar.value = progress.done;
}
