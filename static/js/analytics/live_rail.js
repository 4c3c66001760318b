/** The rail beside the live figures: how near rates are to their lines, what holds the campaign back, the latest events. */

import { element } from "pq/element";
import { clock, percent } from "pq/format";
import { icon } from "pq/icon";

const NOTICE_ICONS = { good: "ok", info: "clock", warn: "warn", bad: "warn" };

export function showAlerts(root, alerts) {
  for (const alert of alerts) {
    const box = root.querySelector(`[data-alert="${alert.rate}"]`);
    if (!box) continue;
    box.querySelector("[data-value]").textContent = percent(alert.value);
    box.querySelector("p").textContent =
      `The line is ${percent(alert.limit)}${alert.pauses_at ? `; it pauses by itself at ${percent(alert.pauses_at)}` : ""}`;
    if (!box.classList.contains(alert.level)) {
      box.className = `alert ${alert.level}`;
      box.firstElementChild.replaceWith(icon(alert.level === "good" ? "ok" : "warn"));
    }
    const meter = box.querySelector("progress");
    meter.value = alert.value;
    meter.className = `thin ${alert.level === "good" ? "ok" : alert.level}`;
    meter.setAttribute("aria-label", `${box.querySelector("b").textContent} of the ${percent(alert.limit)} line`);
  }
}

export function showNotices(root, notices) {
  const rail = root.querySelector("[data-notices]");
  if (rail.textContent === notices.map(({ title, text }) => title + text).join("")) return;
  rail.replaceChildren(...notices.map(({ level, title, text }) => element("div", { className: `alert ${level}` },
    icon(NOTICE_ICONS[level]), element("b", {}, title), element("p", {}, text))));
}

/**
 * The latest events, which a reader may hold.
 *
 * @param {HTMLElement} root
 * @param {Object<string, string[]>} looks event -> word, icon and colour; those of machines have "machine " before them
 * @returns {(events: object[]) => void} shows these
 */
export function startTicker(root, looks) {
  const list = root.querySelector("[data-ticker]");
  const hold = root.querySelector("[data-hold]");
  let latest = [];
  let shown = "";
  let isHeld = false;

  function row(event) {
    const [word, picture, tone] = looks[event.actor === "machine" ? `machine ${event.kind}` : event.kind] ?? looks.unknown;
    const made = element("li", {}, element("span", { className: `pin ${tone}` }, icon(picture)),
      element("span", { className: "cut" }, element("b", {}, word), ` ${event.email}`, element("small", {}, event.detail || "\u00a0")),
      element("time", { dateTime: event.at }, clock(event.at, { seconds: true })));
    made.dataset.event = event.id;
    return made;
  }

  /** An event that turns out to be a machine's is drawn again, so ids alone do not tell. */
  function show(events) {
    latest = events;
    const now = JSON.stringify(events);
    if (isHeld || !events.length || now === shown) return;
    shown = now;
    list.replaceChildren(...events.map(row));
  }

  hold.addEventListener("click", () => {
    isHeld = !isHeld;
    hold.setAttribute("aria-pressed", String(isHeld));
    hold.replaceChildren(icon(isHeld ? "play" : "pause", "s"), element("span", {}, isHeld ? "Go on" : "Hold"));
    root.querySelector("[data-ticker-note]").textContent =
      isHeld ? "Held. The figures go on." : "The latest events, addresses masked";
    show(latest);
  });

  return show;
}
