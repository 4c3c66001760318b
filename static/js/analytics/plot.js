/**
 * A stacked chart over time (templates/analytics/_plot.html): redraws it from points and lets readers take values off it,
 * by pointer and by arrow keys. Live and report pages use the same one.
 */

import { runningTotals, stackedAreas } from "pq/analytics/chart";
import { element } from "pq/element";
import { clock, number } from "pq/format";

const WIDTH = 600;
const MOVES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

/** When a step began, with the day once the chart is longer than one. */
export function momentOf(point, step, count) {
  const date = new Date(point.minute);
  if (step * count <= 24 * 60) return clock(date);
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${clock(date)}`;
}

/**
 * @param {HTMLElement} root the `[data-chart]`
 * @param {object} [first] what the server has drawn, when it is not drawn again at once
 * @returns {{show: (data: {points: object[], step: number, series: string[][], isCumulative?: boolean, summary?: string}) => void}}
 *   `series`: name, word and colour class, lowest first; `step` in minutes
 */
export function startPlot(root, first = { points: [], step: 1, series: [] }) {
  const $ = (selector) => root.querySelector(selector);
  const svg = $("svg");
  const tip = $("[data-tip]");
  const cursor = $("[data-cursor]");
  let data = first;
  let cursorIndex = null;

  const rows = () => (data.isCumulative ? runningTotals(data.points, data.series.map(([name]) => name)) : data.points);
  const at = (point) => momentOf(point, data.step, data.points.length);

  function showLayers(drawn) {
    const layers = $("[data-layers]");
    if ([...layers.children].map((path) => path.dataset.layer).join() !== drawn.layers.map((layer) => layer.name).join()) {
      layers.replaceChildren(...data.series.map(([name, , tone]) => {
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("class", `area ${tone}`);
        path.dataset.layer = name;
        return path;
      }));
      $("[data-legend]").replaceChildren(...data.series.toReversed().map(([, word, tone]) =>
        element("li", {}, element("span", { className: `dot ${tone}` }), word)));
    }
    drawn.layers.forEach((layer, index) => layers.children[index].setAttribute("d", layer.path));
  }

  function show(next) {
    data = next;
    const drawn = stackedAreas(rows(), data.series.map(([name]) => name));
    showLayers(drawn);
    $("[data-ticks]").replaceChildren(...drawn.ticks.map((tick) => element("span", {}, number(tick))));
    const last = data.points.length - 1;
    $("[data-axis]").replaceChildren(...(last < 0 ? [] : [0, 1, 2, 3, 4].map((n) =>
      element("span", {}, at(data.points[Math.round((last * n) / 4)])))));
    $("[data-nothing]").hidden = data.points.some((point) => data.series.some(([name]) => point[name]));
    if (data.summary) $("title").textContent = data.summary;
    if (cursorIndex !== null) showTip(Math.min(cursorIndex, last));
  }

  function showTip(index) {
    const point = rows()[index];
    if (!point) return;
    cursorIndex = index;
    const x = (index / Math.max(1, data.points.length - 1)) * WIDTH;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.setAttribute("visibility", "visible");
    tip.replaceChildren(element("b", {}, at(point)), ...data.series.toReversed().map(([name, word, tone]) =>
      element("div", {}, element("span", { className: `dot ${tone}` }), word, element("b", {}, number(point[name] ?? 0)))));
    tip.hidden = false;
    tip.style.justifySelf = x > WIDTH * 0.55 ? "start" : "end";
    tip.style.margin = x > WIDTH * 0.55 ? "0 0 0 4%" : "0 4% 0 0";
  }

  function hideTip() {
    cursorIndex = null;
    tip.hidden = true;
    cursor.setAttribute("visibility", "hidden");
  }

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    showTip(Math.round(((event.clientX - box.left) / box.width) * (data.points.length - 1)));
  });
  svg.addEventListener("pointerleave", hideTip);
  svg.addEventListener("blur", hideTip);
  svg.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const last = data.points.length - 1;
    showTip(Math.max(0, Math.min(last, (cursorIndex ?? last) + move)));
  });

  return { show };
}
