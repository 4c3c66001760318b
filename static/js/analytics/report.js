/** The overview of a report: values can be read off its chart, countries have their names. Everything else works without a script. */

import { startPlot } from "pq/analytics/plot";

const data = document.getElementById("report-plot");
const chart = document.querySelector("[data-chart]");
if (data && chart) startPlot(chart, JSON.parse(data.textContent));

const countries = new Intl.DisplayNames("en", { type: "region" });
for (const label of document.querySelectorAll('[data-readers="countries"] b')) {
  if (/^[A-Z]{2}$/.test(label.textContent)) label.textContent = countries.of(label.textContent);
}
