/** The agent desk: one row for each step of the team, in the order in which they began. */

import { element } from "pq/element";
import { number } from "pq/format";
import { icon } from "pq/icon";

const LOOKS = { started: ["spinner", "run spin"], done: ["ok", "done"], failed: ["warn", "hold"], skipped: ["pending", "wait"] };
const WORDS = { started: "Working", done: "Done", failed: "Failed", skipped: "Not needed" };
const STATES = { succeeded: "Done", failed: "Failed", cancelled: "Stopped", blocked: "Blocked" };
const TONES = { succeeded: "chip ok", failed: "chip bad", blocked: "chip bad" };

/** Who speaks, and in which look: "writer:A" and "writer:B" have one turn, "editor:A2" is of the second look. */
const turnOf = (task) => `${task.split(":")[0]}${task.replace(/\D/g, "")}`;
const dollars = (micro) => (micro ? `$${(micro / 1e6).toFixed(4)}` : "$0");
const seconds = (ms) => (ms >= 100 ? `${(ms / 1000).toFixed(1)} s` : ms ? "0.1 s" : "");

function changesOf(stage) {
  const list = element("ul", { className: "changes" }, ...stage.changes.map((change) => element("li", {},
    element("b", { textContent: change.part }),
    ...(change.before ? [element("del", { textContent: change.before, dir: "auto" })] : []),
    ...(change.after ? [element("ins", { textContent: change.after, dir: "auto" })] : []))));
  const words = stage.changes.length === 1 ? "1 change" : `${stage.changes.length} changes`;
  return element("details", { className: "what-changed" }, element("summary", { textContent: words }), list);
}

function rowOf(stage) {
  const [name, look] = LOOKS[stage.state] ?? ["pending", "wait"];
  const mark = icon(name);
  mark.classList.add(...look.split(" "));
  const facts = [stage.summary, stage.tokens ? `${number(stage.tokens)} tokens` : "", seconds(stage.ms)].filter(Boolean).join(" · ");
  const row = element("li", {}, mark,
    element("b", {}, stage.label || stage.role, element("span", { className: "vh", textContent: `: ${WORDS[stage.state] ?? stage.state}` })),
    element("span", { className: "cost", textContent: stage.state === "started" ? "–" : dollars(stage.cost_micro_usd) }),
    element("small", { textContent: facts || (stage.state === "started" ? "Working…" : WORDS[stage.state] ?? "") }));
  if (stage.model) row.append(element("small", { className: "model", textContent: stage.model }));
  for (const problem of stage.problems ?? []) row.append(element("small", { className: "problem", textContent: problem }));
  if (stage.changes?.length) row.append(changesOf(stage));
  return row;
}

/**
 * @param {HTMLElement} card the markup of templates/aiwriter/_desk.html
 */
export function agentDesk(card) {
  const list = card.querySelector("[data-desk]");
  const foot = card.querySelector("[data-desk-foot]");
  const state = card.querySelector("[data-desk-state]");
  const stages = new Map();
  const rows = new Map();
  const began = new Map();

  function total() {
    const all = [...stages.values()];
    const spent = all.reduce((sum, stage) => sum + (stage.cost_micro_usd ?? 0), 0);
    const tokens = all.reduce((sum, stage) => sum + (stage.tokens ?? 0), 0);
    foot.hidden = all.length === 0;
    foot.replaceChildren(
      element("span", { textContent: `${dollars(spent)} in total` }),
      element("span", { className: "push", textContent: tokens ? `${number(tokens)} tokens` : "No tokens" }));
  }

  function setState(words, className = "chip", isRunning = false) {
    state.replaceChildren();
    if (!words) return;
    state.append(element("span", { className }, ...(isRunning ? [element("span", { className: "dot live" })] : []), words));
  }

  /** The row that a new one stands before: those who speak side by side stand together, by letter. */
  function behind(key) {
    const turn = turnOf(key);
    const same = [...rows.keys()].filter((other) => turnOf(other) === turn && other > key).sort();
    return rows.get(same[0]) ?? null;
  }

  function put(frame) {
    const key = frame.task || frame.role;
    const known = stages.get(key);
    if (frame.state === "started") began.set(key, performance.now());
    // A stored step knows its time; while watching, the clock of this page does.
    const ms = frame.ms ?? (began.has(key) && frame.state !== "started" ? performance.now() - began.get(key) : known?.ms);
    const stage = { ...frame, ms, changes: frame.changes?.length ? frame.changes : known?.changes ?? [] };
    stages.set(key, stage);
    const row = rowOf(stage);
    const isOpen = rows.get(key)?.querySelector("details")?.open;
    if (isOpen && row.querySelector("details")) row.querySelector("details").open = true;
    if (rows.has(key)) rows.get(key).replaceWith(row);
    else list.insertBefore(row, behind(key));
    rows.set(key, row);
    total();
  }

  return {
    begin() {
      stages.clear();
      rows.clear();
      began.clear();
      list.replaceChildren();
      card.hidden = false;
      total();
      setState("Writing", "chip accent", true);
    },
    stage(frame) {
      put(frame);
      if (frame.state === "started") setState(frame.label || "Writing", "chip accent", true);
    },
    end(status, generation) {
      for (const [key, stage] of stages) {
        if (stage.state === "started") put({ ...stage, task: key, state: status === "succeeded" ? "done" : "failed", summary: status === "cancelled" ? "Stopped" : stage.summary });
      }
      const words = STATES[status] ?? status;
      setState(generation?.origin === "offline_template" ? "No AI model" : words, generation?.origin === "offline_template" ? "chip" : TONES[status] ?? "chip");
      card.hidden = stages.size === 0 && !generation;
    },
  };
}
