/** The parts of the live page that move slowly: links, mailbox providers, what people read with, and at which hours. */

import { shades } from "pq/analytics/chart";
import { element } from "pq/element";
import { number, percent } from "pq/format";

const SVG = "http://www.w3.org/2000/svg";
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const countries = new Intl.DisplayNames("en", { type: "region" });

function bar(share, tone) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("class", "bar");
  made.setAttribute("height", "6");
  made.setAttribute("aria-hidden", "true");
  for (const [name, width] of [["track", "100%"], [tone, `${Math.round(share * 100)}%`]]) {
    const part = document.createElementNS(SVG, "rect");
    part.setAttribute("class", name);
    part.setAttribute("width", width);
    part.setAttribute("height", "6");
    part.setAttribute("rx", "3");
    made.append(part);
  }
  return made;
}

const row = (label, title, count, share, tone) => element("li", {},
  element("b", { className: "cut", title, textContent: label }), element("span", {}, number(count)),
  element("span", {}, percent(share, 0)), bar(share, tone));

export function showLinks(root, links) {
  if (!links.length) return;
  root.querySelector("[data-links]").replaceChildren(...links.map((link) =>
    row(link.label, link.url, link.unique_clicks, link.share, "f-click")));
}

/** "GB" -> "United Kingdom"; what is no code stays as it is. */
function countryOf(label) {
  return /^[A-Z]{2}$/.test(label) ? countries.of(label) : label;
}

function showReaders(root, parts) {
  for (const list of root.querySelectorAll("[data-readers]")) {
    const rows = parts[list.dataset.readers];
    const made = rows.map(({ label, count, share }) => {
      const name = list.dataset.readers === "countries" ? countryOf(label) : label;
      return row(name, name, count, share, "f-human");
    });
    list.replaceChildren(...(made.length ? made : [element("li", { className: "dim" }, "Nobody has opened or clicked yet.")]));
  }
  root.querySelector('[data-choose="read"][data-value="countries"]').hidden = !parts.countries.length;
}

const cell = (text, className = "r") => element("td", { className, textContent: text });

function showMailboxes(root, rows) {
  const body = root.querySelector("[data-mailboxes] tbody");
  if (!rows || !body) return;
  root.querySelector("[data-mailbox-table]").hidden = !rows.length;
  root.querySelector("[data-no-mailboxes]").hidden = Boolean(rows.length);
  body.replaceChildren(...rows.map((one) => element("tr", {},
    element("td", { title: one.provider }, element("b", {}, one.provider)), cell(number(one.delivered)),
    cell(number(one.deferred), one.deferred ? "r c-bounce" : "r"), cell(number(one.bounced)),
    cell(percent(one.open_rate)), cell(percent(one.click_rate)))));
}

function showHours(root, grid) {
  const levels = shades(grid);
  root.querySelectorAll("[data-hours] tbody tr").forEach((line, day) => {
    grid[day].forEach((count, hour) => {
      const place = line.children[hour + 1];
      const shade = `h${levels[day][hour]}`;
      if (place.className !== shade) place.className = shade;
      if (place.textContent === number(count)) return;
      place.firstElementChild.textContent = number(count);
      place.title = `${DAYS[day]} ${hour}:00: ${number(count)}`;
    });
    line.querySelector("[data-total]").textContent = number(grid[day].reduce((sum, count) => sum + count, 0));
  });
}

function showMachines(root, reasons) {
  root.querySelector("[data-machines]").replaceChildren(...reasons.map(({ label, count }) =>
    element("li", { className: "row" }, element("span", {}, label), element("b", { className: "push" }, number(count)))));
  root.querySelector("[data-why-machine]").hidden = !reasons.length;
}

/** @param {"human"|"machine"|"both"} shown whose opens and clicks the hours count */
export function showParts(root, parts, shown) {
  showMailboxes(root, parts.mailboxes);
  showReaders(root, parts);
  showHours(root, parts.hours[shown]);
  showMachines(root, parts.machines);
}
