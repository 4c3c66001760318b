/** The overview of a report: values can be read off its chart. Everything else works without a script. */

import { startPlot } from "pq/analytics/plot";

const data = document.getElementById("report-plot");
const chart = document.querySelector("[data-chart]");
if (data && chart) startPlot(chart, JSON.parse(data.textContent));
