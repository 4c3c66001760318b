/** The agent desk: one row for each step of the writer, in the order in which they began. */

import { number } from "pq/format";
import { icon } from "pq/icon";

const LOOKS = { started: ["spinner", "run spin"], done: ["ok", "done"], failed: ["warn", "hold"] };
const NAMES = { strategist: "Strategist", writer: "Writer", critic: "Critic", editor: "Voice editor", checker: "Fact checker", guard: "Checks" };

const dollars = (micro) => (micro ? `$${(micro / 1e6).toFixed(4)}` : "$0");

/** @param {HTMLElement} card */
export function agentDesk(card) {
  const list = card.querySelector("[data-desk]");
  const foot = card.querySelector("[data-desk-foot]");
  const state = card.querySelector("[data-desk-state]");
  const stages = new Map();

  function draw() {
    list.replaceChildren(...[...stages.values()].map((stage) => {
      const row = document.createElement("li");
      const [name, className] = LOOKS[stage.state] ?? ["pending", "wait"];
      const mark = icon(name);
      mark.classList.add(...className.split(" "));
      const role = document.createElement("b");
      role.textContent = stage.label || NAMES[stage.role] || stage.role;
      const cost = document.createElement("span");
      cost.className = "cost";
      cost.textContent = stage.state === "started" ? "–" : dollars(stage.cost_micro_usd);
      const words = document.createElement("small");
      words.textContent = [stage.summary, stage.model, stage.tokens ? `${number(stage.tokens)} tokens` : ""].filter(Boolean).join(" · ") || "Working…";
      row.append(mark, role, cost, words);
      return row;
    }));
    const all = [...stages.values()];
    const total = all.reduce((sum, stage) => sum + (stage.cost_micro_usd ?? 0), 0);
    const tokens = all.reduce((sum, stage) => sum + (stage.tokens ?? 0), 0);
    foot.hidden = all.length === 0;
    foot.textContent = `${dollars(total)} so far${tokens ? ` · ${number(tokens)} tokens` : ""}`;
  }

  function setState(words, isRunning) {
    state.replaceChildren();
    if (!words) return;
    const chip = document.createElement("span");
    chip.className = isRunning ? "chip accent" : "chip";
    if (isRunning) chip.append(Object.assign(document.createElement("span"), { className: "dot live" }));
    chip.append(words);
    state.append(chip);
  }

  return {
    begin() { stages.clear(); card.hidden = false; draw(); setState("Writing", true); },
    stage(frame) {
      stages.set(`${frame.role}:${frame.task}`, frame);
      draw();
    },
    end(status, generation) {
      const words = { succeeded: "Done", failed: "Failed", cancelled: "Stopped", blocked: "Blocked" }[status] ?? status;
      setState(generation?.origin === "offline_template" ? `${words}, no AI model` : words, false);
      card.hidden = stages.size === 0 && !generation;
    },
  };
}
