/**
 * The live page: shows each frame of absolute figures as it comes, and asks for a snapshot whenever it may have missed
 * something (a gap, a reconnect, coming back to the tab) and every half minute anyway. Without a socket it polls.
 */

import { funnel, runningTotals } from "pq/analytics/chart";
import { showLinks, showParts } from "pq/analytics/live_parts";
import { showAlerts, showNotices, startTicker } from "pq/analytics/live_rail";
import { momentOf, startPlot } from "pq/analytics/plot";
import { clock, number, percent, short, when } from "pq/format";
import { get } from "pq/http";
import { icon } from "pq/icon";
import { connect, showState } from "pq/socket";

const REFETCH = 30_000;
const POLL = 5_000;
const SPEAK = 15_000;
const ROLL = 350;
const RUNNING = new Set(["preparing", "sending", "paused"]);
const OF_MODE = { human: "Human only", machine: "Machine only", both: "Human and machine" };

const page = JSON.parse(document.getElementById("live-data").textContent);
const root = document.getElementById("live");
const main = document.getElementById("main");
const isStill = matchMedia("(prefers-reduced-motion: reduce)");
const $ = (selector, from = root) => from.querySelector(selector);

let frame = page.snapshot;
let { parts } = page.snapshot;
let partsAt = page.snapshot.at;
/** What the address chooses: whose opens, which hours, each step or added up, and what readers are compared by. */
const chosen = page.chosen;
let points = page.points;
let step = page.step;
let isLive = false;
let spokenAt = 0;
let pending = 0;
let rangesAsked = 0;

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

/* ---------- figures ---------- */

const read = (path) => path.split(".").reduce((value, key) => value?.[key], { ...frame, view: frame.views[chosen.show] });

const WRITERS = {
  number: (value) => number(value),
  short: (value) => short(value),
  percent: (value) => percent(value),
  "bare-percent": (value) => percent(value).replace(" %", ""),
  of: (value) => `of ${number(value)}`,
  "per-minute": (value) => (value ? `+${number(value)}/min` : ""),
  "clicks-of-opens": (view) => `${number(view.clicks)} of ${number(view.opens)}`,
};

const rolling = new WeakMap();

/** Let a number run to its new value; at once when motion is unwanted or nobody looks. */
function roll(target, to) {
  const from = rolling.get(target)?.value ?? Number(target.textContent.replaceAll(",", ""));
  if (!Number.isFinite(from) || from === to || isStill.matches || document.hidden) {
    rolling.set(target, { value: to });
    target.textContent = number(to);
    return;
  }
  const started = performance.now();
  const state = { value: from };
  rolling.set(target, state);
  const tick = (now) => {
    if (rolling.get(target) !== state) return;
    const part = Math.min(1, (now - started) / ROLL);
    state.value = part === 1 ? to : Math.round(from + (to - from) * (1 - (1 - part) ** 3));
    target.textContent = number(state.value);
    if (part < 1) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

function showFigures() {
  for (const target of root.querySelectorAll("[data-bind]")) {
    const value = read(target.dataset.bind);
    const as = target.dataset.as ?? "number";
    if ("roll" in target.dataset) roll(target, value);
    else {
      const text = WRITERS[as](value);
      if (target.textContent !== text) target.textContent = text;
    }
  }
  for (const label of root.querySelectorAll("[data-label]")) {
    label.textContent = `${label.dataset.label}, ${chosen.show === "both" ? "all" : chosen.show}`;
  }
  $("[data-all-sent]").textContent = frame.totals.sent ? "100 %" : "–";
  $("[data-funnel-note]").textContent = OF_MODE[chosen.show];
  funnel(frame.views[chosen.show].funnel).forEach((path, index) => {
    root.querySelectorAll("[data-band]")[index].setAttribute("d", path);
  });
  for (const bar of root.querySelectorAll("[data-part]")) {
    bar.max = frame.totals.any_opens || 1;
    bar.value = frame.totals[bar.dataset.part];
  }
}

/* ---------- progress ---------- */

function minutesUntil(moment) {
  const minutes = Math.max(1, Math.round((new Date(moment) - Date.now()) / 60_000));
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** The time of day, with the day when that was not within the last 24 hours. */
const stamp = (moment) => (Date.now() - new Date(moment) < 86_400_000 ? clock(moment) : when(moment));

/** Status of messages that will not be sent (any more), and how the progress line says it. */
const LEFT_OUT = [["skipped", "skipped"], ["failed", "failed"], ["in_doubt", "in doubt"]];

function showProgress() {
  const { campaign, progress, totals } = frame;
  const bar = $("progress.big");
  bar.max = progress.total || 1;
  bar.value = progress.done;
  bar.setAttribute("aria-label", `${number(totals.sent)} of ${number(progress.to_send)} sent`);
  $("[data-not-sent]").textContent = LEFT_OUT
    .map(([name, words]) => (totals[name] ? ` · ${number(totals[name])} ${words}` : "")).join("");
  const started = progress.started_at ? stamp(progress.started_at) : "";
  $("[data-speed]").replaceChildren(
    ...(campaign.status === "sending"
      ? [element("b", {}, `${number(progress.per_minute)} a minute`), started ? ` · started ${started}` : ""]
      : [started ? `Started ${started}` : ""]),
  );
  const finish = $("[data-finish]");
  if (progress.finish_at) {
    finish.replaceChildren("Finishes about ", element("b", {}, clock(progress.finish_at)), `, in ${minutesUntil(progress.finish_at)}`);
  } else if (progress.finished_at) finish.replaceChildren("Finished ", element("b", {}, stamp(progress.finished_at)));
  else finish.replaceChildren();
  showStatus(campaign, progress.share);
}

const STATUS = {
  draft: ["", "edit", "Draft"], scheduled: ["line", "calendar", "Scheduled"], paused: ["warn", "pause", "Paused"],
  sent: ["ok", "check", "Sent"], cancelled: ["", "block", "Cancelled"], failed: ["bad", "warn", "Failed"],
};

function showStatus({ status, status_reason: reason }, share) {
  const box = $("[data-reason]");
  box.hidden = !reason;
  $("[data-doubt]").hidden = !frame.totals.in_doubt;
  $("[data-report]", main).hidden = !frame.progress.started_at;
  $("b", box).textContent = STATUS[status]?.[2] ?? "Sending";
  $("p", box).textContent = reason;
  const holder = $("[data-status-chip]", main);
  const isMoving = status === "sending" || status === "preparing";
  const [tone, picture, word] = isMoving
    ? ["accent", null, status === "sending" ? `Sending, ${percent(share, 0)}` : "Preparing"]
    : STATUS[status] ?? ["", "info", status];
  if (holder.textContent.trim() !== word) {
    holder.replaceChildren(element("span", { class: `chip ${tone}` }, picture ? icon(picture) : element("span", { class: "dot live" }), word));
  }
  for (const one of main.querySelectorAll("[data-during]")) {
    one.hidden = !one.dataset.during.split(" ").includes(status);
  }
}

/* ---------- chart ---------- */

const plot = startPlot($("[data-chart]"));

/** A campaign leaves within minutes: over a day that would flatten all that readers do. */
const seriesShown = () => page.series[chosen.show].filter(([name]) => chosen.range === "30m" || name !== "delivered");
const at = (point) => momentOf(point, step, points.length);

function summary() {
  const latest = points.at(-2) ?? points.at(-1);
  if (!latest) return "Events by minute: nothing yet.";
  return `Events by minute from ${at(points[0])} to ${at(points.at(-1))}. Lately ${number(latest.delivered)} delivered, ` +
    `${number(latest.human_opens)} human opens, ${number(latest.machine_opens)} machine opens and ` +
    `${number(latest.human_clicks)} human clicks a step.`;
}

function showChart() {
  plot.show({ points, step, series: seriesShown(), isCumulative: chosen.sum === "all", summary: summary() });
  if ($("[data-table]").open) showTable();
}

function showTable() {
  const rows = chosen.sum === "all" ? runningTotals(points, page.columns) : points;
  $("[data-rows]").replaceChildren(...rows.filter((point) => page.columns.some((name) => point[name])).toReversed()
    .map((point) => element("tr", {}, element("td", {}, at(point)),
      ...page.columns.map((name) => element("td", { class: "r" }, number(point[name]))))));
}

$("[data-table]").addEventListener("toggle", showTable);

/* ---------- variants ---------- */

function showRace() {
  const race = $("[data-race]");
  if (!race || !frame.race.length) return;
  const low = Math.min(...frame.race.map((lane) => lane.interval[0]));
  const high = Math.max(...frame.race.map((lane) => lane.interval[1]), low + 0.001);
  const x = (rate) => `${(4 + (92 * (rate - low)) / (high - low)).toFixed(1)}%`;
  for (const lane of frame.race) {
    const row = race.querySelector(`[data-lane="${CSS.escape(lane.label)}"]`);
    if (!row) continue;
    $("[data-rate]", row).textContent = percent(lane.rate);
    $("[data-ci]", row).setAttribute("x1", x(lane.interval[0]));
    $("[data-ci]", row).setAttribute("x2", x(lane.interval[1]));
    $("[data-point]", row).setAttribute("cx", x(lane.rate));
    $("[data-note]", row).textContent =
      `${number(lane.clicks)} of ${number(lane.delivered)} clicked · 95 % between ${percent(lane.interval[0])} and ${percent(lane.interval[1])}`;
  }
  $("[data-race-axis]").replaceChildren(...[0, 1, 2, 3].map((n) => element("span", {}, percent(low + ((high - low) * n) / 3))));
}

const JUDGE = 20_000;
let judged = JSON.stringify(frame.race);
let judgedAt = 0;

/** Have the test judged again when its figures have moved: not all watchers at once, and not while somebody writes in it. */
function askExperiment() {
  const place = $("[data-experiment]");
  const now = JSON.stringify(frame.race);
  if (!place || now === judged || Date.now() - judgedAt < JUDGE || place.contains(document.activeElement)) return;
  judged = now;
  judgedAt = Date.now() + Math.random() * JUDGE / 2;
  place.dispatchEvent(new CustomEvent("experiment-moved"));
}

/* ---------- frames ---------- */

/** A short sentence for screen readers, at most every 15 seconds and only when something changed. */
function speak() {
  const text = `${number(frame.totals.sent)} sent, ${number(frame.totals.unique_opens)} human opens, ${number(frame.totals.unique_clicks)} human clicks.`;
  const target = $("[data-summary]");
  if (Date.now() - spokenAt < SPEAK || target.textContent === text) return;
  spokenAt = Date.now();
  target.textContent = text;
}

function show() {
  pending = 0;
  showFigures();
  showProgress();
  showAlerts(root, frame.alerts);
  showNotices(root, frame.notices);
  if (document.hidden) return;
  showChart();
  showLinks(root, frame.links);
  showParts(root, parts, chosen.show);
  showRace();
  askExperiment();
  showTicker(frame.events);
  speak();
}

/** Take what is newer than what is there: an answer may be slower than the frames that were sent after it was read. */
function apply(next) {
  if (next.parts && next.at >= partsAt) {
    ({ parts, at: partsAt } = next);
  }
  if (next.type === "totals" && next.at >= frame.at) takeFigures(next);
  pending ||= requestAnimationFrame(show);
}

function takeFigures(next) {
  const had = frame.campaign.status;
  frame = next;
  if (chosen.range === "30m") {
    points = next.minutes;
    step = 1;
  }
  if (had === next.campaign.status) return;
  refetchRange();
  if (next.campaign.status === "sent") $("[data-insight]")?.dispatchEvent(new CustomEvent("campaign-sent"));
}

async function refetch() {
  try {
    apply(await get(page.snapshot_url));
  } catch (error) {
    if (error.status === 401 || error.status === 403) location.reload();
  }
}

async function refetchRange() {
  if (chosen.range === "30m") return;
  try {
    rangesAsked += 1;
    const mine = rangesAsked;
    const timeline = await get(`${page.timeline_url}?range=${chosen.range}`);
    if (mine !== rangesAsked || chosen.range === "30m") return;
    points = timeline.points;
    step = timeline.step_minutes;
    showChart();
  } catch { /* the next round asks again */ }
}

function catchUp() {
  refetch();
  refetchRange();
}

const showTicker = startTicker(root, page.looks);
const chip = showState($("[data-socket-state]", main));
connect(page.socket, {
  onFrame: apply,
  onGap: catchUp,
  onState: (state, detail) => {
    chip(state, detail);
    const wasLive = isLive;
    isLive = state === "open";
    if (isLive && !wasLive) catchUp();
  },
});
setInterval(() => { if (!isLive && !document.hidden) refetch(); }, POLL);
setInterval(() => {
  if (document.hidden) return;
  if (RUNNING.has(frame.campaign.status) || Date.now() - new Date(frame.at) > REFETCH) refetch();
  refetchRange();
}, REFETCH);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { show(); catchUp(); } });

/* ---------- switches ---------- */

const TAKES = {
  show: show,
  sum: showChart,
  read: () => {
    for (const list of root.querySelectorAll("[data-readers]")) list.hidden = list.dataset.readers !== chosen.read;
  },
  range: () => {
    if (chosen.range !== "30m") return void refetchRange();
    points = frame.minutes;
    step = 1;
    showChart();
  },
};

/** Change one choice, and keep it in the address, so that a reload and a copied address show the same. */
function choose(name, value) {
  chosen[name] = value;
  const address = new URL(location.href);
  address.searchParams.set(name, value);
  history.replaceState(null, "", address);
  for (const link of main.querySelectorAll(`[data-choose="${name}"]`)) {
    if (link.dataset.value === value) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  TAKES[name]();
}

main.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-choose]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  choose(link.dataset.choose, link.dataset.value);
});

show();
