/** The strips of running campaigns on the home page: moved by the same frames as the live page. */

import { clock, number, percent } from "pq/format";
import { connect } from "pq/socket";

for (const id of JSON.parse(document.getElementById("home-data").textContent).campaigns) {
  const strip = document.querySelector(`[data-running="${CSS.escape(id)}"]`);
  if (strip) connect(`/ws/campaigns/${id}`, { onFrame: (frame) => requestAnimationFrame(() => show(strip, frame)) });
}

function show(strip, frame) {
  if (frame.type !== "totals") return;
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
