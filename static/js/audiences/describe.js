/**
 * "Describe who you mean": a sentence becomes proposed rules. They are shown in the builder and in words; nothing is
 * saved, and the rules from before can be put back.
 */

import { element as make } from "pq/element";
import { number } from "pq/format";
import { icon } from "pq/icon";
import { post } from "pq/http";

const ASK_AGAIN_MS = 1200;
const LONGEST_WAIT_MS = 90_000;

/**
 * @param {HTMLElement} box the part of the page with the field
 * @param {{show: (rules: object) => void, current: () => object}} builder where proposals go
 */
export function describeBox(box, builder) {
  const field = box.querySelector("[data-wish]");
  const go = box.querySelector("[data-wish-go]");
  const state = box.querySelector("[data-wish-state]");
  const answer = box.querySelector("[data-proposal]");
  let asking;

  const say = (words, { isBusy = false, isBad = false } = {}) => {
    state.replaceChildren(...(isBusy ? [icon("refresh", "s")] : isBad ? [icon("warn", "s")] : []), make("span", { textContent: words }));
    state.classList.toggle("c-complaint", isBad);
    if (isBusy) state.firstElementChild.classList.add("spin");
    state.hidden = !words;
  };

  const busy = (isBusy) => {
    go.setAttribute("aria-disabled", String(isBusy));
    box.setAttribute("aria-busy", String(isBusy));
  };

  /** Ask until there is an answer: while a model is busy the server says so, and does not ask it twice. */
  async function proposal(text, signal) {
    const started = Date.now();
    for (;;) {
      const found = await post(box.dataset.describe, { text }, { signal });
      if (found.rules) return found;
      if (Date.now() - started > LONGEST_WAIT_MS) throw new Error("The AI model is taking very long. Try again in a moment.");
      say("Not every word is known to the rules, so an AI model is asked. It sees names of fields and lists, never a contact.", { isBusy: true });
      await new Promise((resolve) => { setTimeout(resolve, ASK_AGAIN_MS); });
    }
  }

  function show(found, before) {
    const origin = found.ai_generated
      ? make("span", { className: "chip accent" }, icon("sparkle", "s"), `AI · ${found.model}`)
      : make("span", { className: "chip" }, "By rules, no AI model");
    const back = make("button", { type: "button", className: "btn quiet s push" }, icon("undo", "s"), "Put my rules back");
    back.addEventListener("click", () => { builder.show(before); answer.hidden = true; field.focus(); });
    const parts = [
      make("div", { className: "row" }, make("b", { className: "sm" }, "any" in found.rules && found.conditions.length > 1 ? "Proposed: any of these" : "Proposed"), origin, back),
      make("ul", { className: "sm rule-words" }, ...found.conditions.map((words) => make("li", { textContent: `${words[0].toUpperCase()}${words.slice(1)}` }))),
    ];
    if (found.not_understood.length) {
      parts.push(make("div", { className: "alert warn" }, icon("warn"), make("b", {}, "I did not understand"), make("p", {}, `${found.not_understood.map((words) => `“${words}”`).join(", ")}. The rules leave this out. ${found.remark}`)));
    }
    parts.push(make("p", { className: "xs mut" }, "Nothing is saved yet. Check the rules below and how many they reach, then save."));
    answer.replaceChildren(...parts);
    answer.hidden = false;
  }

  async function ask() {
    const text = field.value.trim();
    if (!text) return field.focus();
    asking?.abort();
    const own = new AbortController();
    asking = own;
    busy(true);
    say("Reading…", { isBusy: true });
    try {
      const before = builder.current();
      const found = await proposal(text, own.signal);
      if (own !== asking) return undefined;
      builder.show(found.rules);
      show(found, before);
      const many = `${found.estimated ? "About " : ""}${number(found.count)} contact${found.count === 1 ? "" : "s"}`;
      say(`${many} ${found.count === 1 ? "fits" : "fit"} these rules right now.${found.not_understood.length ? " Some words were not understood." : ""}`);
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      answer.hidden = true;
      say(error.message, { isBad: true });
    }
    busy(false);
    return undefined;
  }

  go.addEventListener("click", ask);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    ask();
  });
}
