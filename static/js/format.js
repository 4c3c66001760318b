/** Numbers and times as the templates write them (pulsequill/templatetags/ui.py). */

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** 12345 -> "12,345"; nothing -> an en dash. */
export const number = (value) => (value === null || value === undefined || value === "" ? "–" : whole.format(value));

/** 12345 -> "12,345", but 1050000 -> "1.05M": three figures where a million would not fit. */
export const short = (value) => (value >= 1e6 ? `${Number((value / 1e6).toPrecision(3))}M` : number(value));

/** A share of 1: 0.0433 -> "4.33 %", 0.977 -> "97.7 %". */
export function percent(share, digits) {
  if (share === null || share === undefined || Number.isNaN(Number(share))) return "–";
  const value = Number(share) * 100;
  if (digits === 0 && value > 0 && value < 0.5) return "<1 %";
  const text = value.toFixed(digits ?? (Math.abs(value) >= 10 ? 1 : 2)).replace(/\.0+$/, "");
  return `${Math.abs(value) < 1 ? text.replace(/(\.\d*?)0+$/, "$1") : text} %`;
}

/** "14:02", in the reader's time zone. */
export const clock = (moment, { seconds = false } = {}) =>
  new Date(moment).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}) });

/** "5 min ago", "in 2 h", or a date for moments further away. */
export function when(moment, now = Date.now()) {
  const date = new Date(moment);
  const seconds = (now - date.getTime()) / 1000;
  const ahead = seconds < 0;
  const distance = Math.abs(seconds);
  if (distance < 45) return ahead ? "in a moment" : "just now";
  for (const [limit, unit, name] of [[3600, 60, "min"], [86400, 3600, "h"]]) {
    if (distance >= limit) continue;
    const count = Math.max(1, Math.round(distance / unit));
    return ahead ? `in ${count} ${name}` : `${count} ${name} ago`;
  }
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(isThisYear ? {} : { year: "numeric" }) });
  return isThisYear ? `${day}, ${clock(date)}` : day;
}

/** 95 -> "1 min 35 s", 5400 -> "1 h 30 min". */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  const minutes = Math.floor((s % 3600) / 60);
  return minutes ? `${Math.floor(s / 3600)} h ${minutes} min` : `${Math.floor(s / 3600)} h`;
}

/** 39322 -> "38 KB". */
export function bytes(count) {
  for (const [unit, size] of [["MB", 1024 ** 2], ["KB", 1024]]) {
    if (count >= size) return `${(count / size).toFixed(count / size >= 10 ? 0 : 1)} ${unit}`;
  }
  return `${count} B`;
}
