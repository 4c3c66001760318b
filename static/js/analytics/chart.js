/**
 * Geometry of the stacked chart, the heat map and the funnel: the same paths from the same numbers as pulsequill/core/charts.py,
 * so that a patched page looks as if it was just loaded.
 */

const WIDTH = 600;
const HEIGHT = 200;
const TICKS = 4;
const ROUND = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10];

const fixed = (value) => value.toFixed(1);

/** A round number of at least `largest` (and at least 4) that four lines divide evenly. */
export function niceTop(largest) {
  if (largest <= TICKS) return TICKS;
  const scale = 10 ** Math.floor(Math.log10(largest));
  for (const first of ROUND) {
    const top = first * scale;
    if (top >= largest && top % TICKS === 0) return top;
  }
  return Math.ceil(largest / TICKS) * TICKS;
}

/**
 * @param {object[]} points one object a step, oldest first
 * @param {string[]} names series, lowest first
 * @returns {{layers: {name: string, path: string}[], ticks: number[], top: number, step: number}}
 */
export function stackedAreas(points, names) {
  const rows = points.length === 1 ? [points[0], points[0]] : points;
  const top = niceTop(Math.max(0, ...rows.map((point) => names.reduce((sum, name) => sum + (point[name] ?? 0), 0))));
  const step = WIDTH / Math.max(1, rows.length - 1);
  const xs = rows.map((_, index) => fixed(index * step));
  let below = rows.map(() => 0);
  const layers = names.map((name) => {
    const above = below.map((low, index) => low + (rows[index][name] ?? 0));
    const at = (values) => values.map((value, index) => `${xs[index]} ${fixed(HEIGHT - (value / top) * HEIGHT)}`);
    const path = rows.length ? `M${at(above).join("L")}L${at(below).reverse().join("L")}Z` : "";
    below = above;
    return { name, path };
  });
  const ticks = Array.from({ length: TICKS + 1 }, (_, part) => (top * (TICKS - part)) / TICKS);
  return { layers, ticks, top, step };
}

/** The points with each of `names` added up from the first point on. */
export function runningTotals(points, names) {
  const sums = Object.fromEntries(names.map((name) => [name, 0]));
  return points.map((point) => {
    for (const name of names) sums[name] += point[name] ?? 0;
    return { ...point, ...sums };
  });
}

/** Shades of a heat map, from 0 (nothing) to this one (the most). */
export const SHADES = 5;

/** The shade of each cell of a heat map: 0 for nothing, else by its share of the largest. */
export function shades(rows) {
  const largest = Math.max(0, ...rows.flat()) || 1;
  return rows.map((row) => row.map((value) => (value > 0 ? Math.ceil((value / largest) * SHADES) : 0)));
}

/** One band for each value, as tall as its share of the first. */
export function funnel(values, { width = WIDTH, height = 88 } = {}) {
  const first = Math.max(values[0] ?? 0, 1);
  const heights = values.map((value) => Math.max(Math.min(value / first, 1) * height, value ? 1 : 0));
  const part = width / Math.max(1, values.length);
  return heights.map((tall, index) => {
    const before = heights[Math.max(0, index - 1)];
    const [left, right] = [index * part, (index + 1) * part];
    const [bend, straight] = [left + part * 0.55, left + part * 0.6];
    const [a, b] = [(height - before) / 2, (height - tall) / 2];
    return (
      `M${fixed(left)} ${fixed(a)}C${fixed(bend)} ${fixed(a)} ${fixed(straight)} ${fixed(b)} ${fixed(right)} ${fixed(b)}` +
      `V${fixed(height - b)}C${fixed(straight)} ${fixed(height - b)} ${fixed(bend)} ${fixed(height - a)} ${fixed(left)} ${fixed(height - a)}Z`
    );
  });
}
