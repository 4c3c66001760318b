/**
 * The live page: shows each frame of absolute figures as it comes, and asks for a snapshot whenever it may have missed
 * something (a gap, a reconnect, coming back to the tab) and every half minute anyway. Without a socket it polls.
 */

import { funnel, stackedAreas } from "pq/analytics/chart";
import { clock, number, percent, when } from "pq/format";
import { get } from "pq/http";
import { icon } from "pq/icon";
import { connect, showState } from "pq/socket";

const REFETCH = 30_000;
const POLL = 5_000;
const SPEAK = 15_000;
const ROLL = 350;
const RUNNING = new Set(["preparing", "sending", "paused"]);
const OF_MODE = { human: "Human only", machine: "Machine only", both: "Human and machine" };
const SERIES_COLUMNS = ["sent", "delivered", "human_opens", "machine_opens", "human_clicks", "machine_clicks", "bounced"];

const page = JSON.parse(document.getElementById("live-data").textContent);
const root = document.getElementById("live");
const main = document.getElementById("main");
const isStill = matchMedia("(prefers-reduced-motion: reduce)");
const $ = (selector, from = root) => from.querySelector(selector);

let frame = page.snapshot;
let shown = page.shown;
let range = page.window;
let points = page.points;
let step = page.step;
let isHeld = false;
let isLive = false;
let spokenAt = 0;
let pending = 0;

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

/* ---------- figures ---------- */

const read = (path) => path.split(".").reduce((value, key) => value?.[key], { ...frame, view: frame.views[shown] });

const WRITERS = {
  number: (value) => number(value),
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
    label.textContent = `${label.dataset.label}, ${shown === "both" ? "all" : shown}`;
  }
  $("[data-funnel-note]").textContent = OF_MODE[shown];
  funnel(frame.views[shown].funnel).forEach((path, index) => {
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
  for (const form of main.querySelectorAll("[data-action-when]")) {
    form.hidden = !form.dataset.actionWhen.split(" ").includes(status);
  }
}

/* ---------- chart ---------- */

const plot = $("[data-plot]");
const tip = $("[data-tip]", plot);
const cursor = $("[data-cursor]", plot);
let cursorIndex = null;

const at = (point) => {
  const date = new Date(point.minute);
  if (step * points.length <= 24 * 60) return clock(date);
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${clock(date)}`;
};

/** A campaign leaves within minutes: over a day that would flatten all that readers do. */
const seriesShown = () => page.series[shown].filter(([name]) => range === "30m" || name !== "delivered");

function showChart() {
  const series = seriesShown();
  const drawn = stackedAreas(points, series.map(([name]) => name));
  const layers = $("[data-layers]", plot);
  if ([...layers.children].map((path) => path.dataset.layer).join() !== series.map(([name]) => name).join()) {
    layers.replaceChildren(...series.map(([name, , tone]) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("class", `area ${tone}`);
      path.dataset.layer = name;
      return path;
    }));
    $("[data-legend]").replaceChildren(...series.toReversed().map(([, word, tone]) =>
      element("li", {}, element("span", { class: `dot ${tone}` }), word)));
  }
  drawn.layers.forEach((layer, index) => layers.children[index].setAttribute("d", layer.path));
  $("[data-ticks]", plot).replaceChildren(...drawn.ticks.map((tick) => element("span", {}, number(tick))));
  const last = points.length - 1;
  $("[data-axis]", plot).replaceChildren(...(points.length ? [0, 1, 2, 3, 4].map((n) =>
    element("span", {}, at(points[Math.round((last * n) / 4)]))) : []));
  const latest = points.at(-2) ?? points.at(-1);
  $("title", plot).textContent = latest
    ? `Events by minute from ${at(points[0])} to ${at(points[last])}. Lately ${number(latest.delivered)} delivered, ${number(latest.human_opens)} human opens, ${number(latest.machine_opens)} machine opens and ${number(latest.human_clicks)} human clicks a step.`
    : "Events by minute: nothing yet.";
  if (cursorIndex !== null) showTip(Math.min(cursorIndex, last));
  if ($("[data-table]").open) showTable();
}

function showTip(index) {
  const point = points[index];
  if (!point) return;
  cursorIndex = index;
  const x = (index / Math.max(1, points.length - 1)) * 600;
  cursor.setAttribute("x1", x);
  cursor.setAttribute("x2", x);
  cursor.setAttribute("visibility", "visible");
  tip.replaceChildren(element("b", {}, at(point)), ...seriesShown().toReversed().map(([name, word, tone]) =>
    element("div", {}, element("span", { class: `dot ${tone}` }), word, element("b", {}, number(point[name])))));
  tip.hidden = false;
  tip.style.justifySelf = x > 330 ? "start" : "end";
  tip.style.margin = x > 330 ? "0 0 0 4%" : "0 4% 0 0";
}

function hideTip() {
  cursorIndex = null;
  tip.hidden = true;
  cursor.setAttribute("visibility", "hidden");
}

function showTable() {
  const rows = points.filter((point) => SERIES_COLUMNS.some((name) => point[name])).toReversed();
  $("[data-rows]").replaceChildren(...rows.map((point) => element("tr", {},
    element("td", {}, at(point)), ...SERIES_COLUMNS.map((name) => element("td", { class: "r" }, number(point[name]))))));
}

const svg = $("svg", plot);
svg.addEventListener("pointermove", (event) => {
  const box = svg.getBoundingClientRect();
  showTip(Math.round(((event.clientX - box.left) / box.width) * (points.length - 1)));
});
svg.addEventListener("pointerleave", hideTip);
svg.addEventListener("blur", hideTip);
svg.addEventListener("keydown", (event) => {
  const move = { ArrowLeft: -1, ArrowRight: 1, Home: -points.length, End: points.length }[event.key];
  if (!move) return;
  event.preventDefault();
  showTip(Math.max(0, Math.min(points.length - 1, (cursorIndex ?? points.length - 1) + move)));
});
$("[data-table]").addEventListener("toggle", showTable);

/* ---------- links, variants, alerts ---------- */

function bar(share, tone) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("class", "bar");
  made.setAttribute("height", "6");
  made.setAttribute("aria-hidden", "true");
  for (const [name, width] of [["track", "100%"], [tone, `${Math.round(share * 100)}%`]]) {
    const part = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    part.setAttribute("class", name);
    part.setAttribute("width", width);
    part.setAttribute("height", "6");
    part.setAttribute("rx", "3");
    made.append(part);
  }
  return made;
}

function showLinks() {
  if (!frame.links.length) return;
  $("[data-links]").replaceChildren(...frame.links.map((link) => element("li", {},
    element("b", { class: "cut", title: link.url }, link.label), element("span", {}, number(link.unique_clicks)),
    element("span", {}, percent(link.share, 0)), bar(link.share, "f-click"))));
}

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

function showAlerts() {
  for (const alert of frame.alerts) {
    const box = root.querySelector(`[data-alert="${alert.rate}"]`);
    if (!box) continue;
    $("[data-value]", box).textContent = percent(alert.value);
    if (!box.classList.contains(alert.level)) {
      box.className = `alert ${alert.level}`;
      box.firstElementChild.replaceWith(icon(alert.level === "good" ? "ok" : "warn"));
    }
    const meter = $("progress", box);
    meter.value = alert.value;
    meter.className = `thin ${alert.level === "good" ? "ok" : alert.level}`;
    meter.setAttribute("aria-label", `${box.querySelector("b").textContent} of the ${percent(alert.limit)} line`);
  }
}

/* ---------- ticker ---------- */

function tickerRow(event) {
  const [word, picture, tone] = page.looks[event.actor === "machine" ? `machine ${event.kind}` : event.kind] ?? page.looks.unknown;
  return element("li", { "data-event": event.id },
    element("span", { class: `pin ${tone}` }, icon(picture)),
    element("span", { class: "cut" }, element("b", {}, word), ` ${event.email}`, element("small", {}, event.detail || "\u00a0")),
    element("time", { datetime: event.at }, clock(event.at, { seconds: true })));
}

function showTicker() {
  if (isHeld || !frame.events.length) return;
  const list = $("[data-ticker]");
  if (list.firstElementChild?.dataset.event === frame.events[0].id && list.children.length === frame.events.length) return;
  list.replaceChildren(...frame.events.map(tickerRow));
}

const hold = $("[data-hold]");
hold.addEventListener("click", () => {
  isHeld = !isHeld;
  hold.setAttribute("aria-pressed", String(isHeld));
  hold.replaceChildren(icon(isHeld ? "play" : "pause", "s"), element("span", {}, isHeld ? "Go on" : "Hold"));
  $("[data-ticker-note]").textContent = isHeld ? "Held. The figures go on." : "The latest events, addresses masked";
  showTicker();
});

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
  showAlerts();
  if (document.hidden) return;
  showChart();
  showLinks();
  showRace();
  showTicker();
  speak();
}

function apply(next) {
  if (next.type !== "totals" || next.at < frame.at) return;
  const had = frame.campaign.status;
  frame = next;
  if (range === "30m") {
    points = next.minutes;
    step = 1;
  }
  if (had !== next.campaign.status) refetchRange();
  pending ||= requestAnimationFrame(show);
}

async function refetch() {
  try {
    apply(await get(page.snapshot_url));
  } catch (error) {
    if (error.status === 401 || error.status === 403) location.reload();
  }
}

async function refetchRange() {
  if (range === "30m") return;
  try {
    const asked = range;
    const timeline = await get(`${page.timeline_url}?range=${asked}`);
    if (asked !== range) return;
    points = timeline.points;
    step = timeline.step_minutes;
    showChart();
  } catch { /* the next round asks again */ }
}

const chip = showState($("[data-socket-state]", main));
connect(page.socket, {
  onFrame: apply,
  onGap: refetch,
  onState: (state, detail) => {
    chip(state, detail);
    const wasLive = isLive;
    isLive = state === "open";
    if (isLive && !wasLive) refetch();
  },
});
setInterval(() => { if (!isLive && !document.hidden) refetch(); }, POLL);
setInterval(() => {
  if (document.hidden) return;
  if (RUNNING.has(frame.campaign.status) || Date.now() - new Date(frame.at) > REFETCH) refetch();
  refetchRange();
}, REFETCH);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { show(); refetch(); } });

/* ---------- switches ---------- */

function remember() {
  const address = new URL(location.href);
  address.searchParams.set("show", shown);
  address.searchParams.set("range", range);
  history.replaceState(null, "", address);
}

function choose(attribute, value) {
  for (const link of main.querySelectorAll(`[${attribute}]`)) {
    if (link.getAttribute(attribute) === value) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

main.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-show], a[data-range]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  if (link.dataset.show) {
    shown = link.dataset.show;
    choose("data-show", shown);
    show();
  } else {
    range = link.dataset.range;
    choose("data-range", range);
    if (range === "30m") {
      points = frame.minutes;
      step = 1;
      showChart();
    } else refetchRange();
  }
  remember();
});

show();
