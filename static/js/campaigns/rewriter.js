/**
 * Rewriting a passage: choose what shall become of it, see the answer beside what stands there, take it or leave it.
 *
 * Nothing changes before it is taken; then it is one step of the history. Whoever types in the passage while the answer
 * is on its way keeps what was typed.
 */

import { askWriter, writtenBy } from "pq/campaigns/asking";
import { confirm } from "pq/dialog";
import { element, iconButton } from "pq/element";
import { icon } from "pq/icon";
import { withoutMarks } from "pq/campaigns/marked_text";
import { placeBeside } from "pq/campaigns/pick_menu";
import { ACTIONS, languages, titleOf } from "pq/campaigns/rewrite_actions";
import { diffPanes } from "pq/campaigns/word_diff";

const LANGUAGE_KEPT = "pq:rewrite-language";
const NO_MODEL = "Longer, other words, translations and wishes need an AI model. No provider key is set; an administrator adds one in the AI studio.";
const TYPED = "You changed this text meanwhile, so nothing was replaced.";
const MARKS = { block: ["block", "bad"], warn: ["warn", "hold"], info: ["info", ""] };

const button = (label, act, className = "btn s") => {
  const made = element("button", { type: "button", className, textContent: label });
  made.addEventListener("click", act);
  return made;
};

/** Arrow keys move through the buttons of a toolbar. */
export function arrowKeys(toolbar) {
  toolbar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const all = [...toolbar.querySelectorAll("button:not([aria-disabled=true])")];
    const at = all.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    all[(at + step + all.length) % all.length].focus();
  });
}

function finding({ severity, message }) {
  const [name, tone] = MARKS[severity];
  const mark = icon(name, "s");
  if (tone) mark.classList.add(tone);
  const row = element("li", {}, mark, element("span", { textContent: message }));
  row.dataset.severity = severity;
  return row;
}

/**
 * @param {{directory: object, hasModel: boolean, context: () => Promise<object>, say: (words: string) => void}} options
 *   `context` adds what else goes along with a request: brief and campaign
 * @returns {{open: (target: object, asked?: object) => void, close: () => void, isOpen: () => boolean}}
 */
export function rewriter({ directory, hasModel, context, say }) {
  let target = null;
  let asking = null;
  let earlier = [];
  const heading = element("h2", { id: "rewrite-h" });
  const body = element("div", { className: "rewrite-body" });
  const close = iconButton("close", "Close", () => end(), "btn quiet s icon");
  const panel = element("div", { className: "menu rewrite", id: "rewrite", popover: "manual" }, element("div", { className: "rewrite-head" }, icon("sparkle", "s"), heading, close), body);
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-labelledby", heading.id);
  (document.querySelector("main") ?? document.body).append(panel);

  const place = () => placeBeside(panel, { getBoundingClientRect: () => target.place() });
  const stop = () => { asking?.abort(); asking = null; };

  function hold(next) {
    target?.release();
    target = next;
    target?.hold();
  }

  function end({ focus = true } = {}) {
    stop();
    target?.release();
    if (!panel.matches(":popover-open")) return;
    panel.hidePopover();
    if (focus) target?.focus();
  }

  function show(title, ...children) {
    heading.textContent = title;
    body.replaceChildren(...children);
    if (!panel.matches(":popover-open")) panel.showPopover();
    place();
  }

  // --- choosing ----------------------------------------------------------------------------------------------------
  function chooser() {
    const chips = ACTIONS.map(({ instruction, label, needsModel }) => {
      const chip = button(label, () => chip.ariaDisabled !== "true" && ask({ instruction }), "chip");
      if (needsModel && !hasModel) chip.setAttribute("aria-disabled", "true");
      return chip;
    });
    const toolbar = element("div", { className: "row rewrite-chips" }, ...chips);
    toolbar.setAttribute("role", "toolbar");
    toolbar.setAttribute("aria-label", "What shall become of it");
    arrowKeys(toolbar);
    if (!hasModel) return [toolbar, element("p", { className: "hint", textContent: NO_MODEL })];

    const choice = element("select", { className: "input s" }, ...languages().map(([code, name]) => element("option", { value: code, textContent: name })));
    choice.value = localStorage.getItem(LANGUAGE_KEPT) ?? "de";
    choice.setAttribute("aria-label", "Translate into");
    const translate = button("Translate", () => {
      localStorage.setItem(LANGUAGE_KEPT, choice.value);
      ask({ instruction: "translate", language: choice.value });
    });
    const wish = element("input", { className: "input s", maxLength: 300, placeholder: "Or say what should change" });
    wish.setAttribute("aria-label", "Your own wish");
    const form = element("form", { className: "row nowrap-f" }, wish, element("button", { className: "btn s", textContent: "Ask" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (wish.value.trim()) ask({ instruction: "wish", wish: wish.value.trim() });
    });
    return [toolbar, element("div", { className: "row nowrap-f" }, choice, translate), form];
  }

  function choose() {
    const words = withoutMarks(target.text).replace(/\{\{[^}]*\}\}/g, "…").trim();
    show(`Rewrite “${words.length > 36 ? `${words.slice(0, 35).trimEnd()}…` : words}”`, ...chooser());
    body.querySelector("button")?.focus({ preventScroll: true });
  }

  // --- asking and showing ------------------------------------------------------------------------------------------
  function panes(was, is, { isBusy = false } = {}) {
    const figure = (label, nodes) => element("figure", {}, element("figcaption", { textContent: label }), element("p", {}, ...nodes));
    const made = element("div", { className: "rewrite-panes" }, figure("Now", was), figure("Proposed", is));
    made.lastChild.setAttribute("aria-busy", String(isBusy));
    return made;
  }

  async function ask(asked) {
    stop();
    const mine = new AbortController();
    asking = mine;
    const growing = element("p");
    const waiting = panes([withoutMarks(target.text)], [], { isBusy: true });
    waiting.lastChild.lastChild.replaceWith(growing);
    growing.append(element("span", { className: "ghost" }, element("i"), element("i")));
    const halt = button("Stop", () => { stop(); choose(); });
    show(titleOf(asked), waiting, element("div", { className: "row" }, element("span", { className: "sm mut grow", role: "status", textContent: "Writing…" }), halt));
    halt.focus({ preventScroll: true });
    try {
      const fields = { ...(await context()), ...asked, text: target.text, ...(earlier.length ? { earlier } : {}) };
      const generation = await askWriter("rewrite", fields, {
        signal: mine.signal,
        onText: (text) => { if (!mine.signal.aborted) growing.textContent = withoutMarks(text); },
      });
      if (!mine.signal.aborted) answer(asked, generation);
    } catch (error) {
      if (error.name !== "AbortError" && !mine.signal.aborted) fail(asked, error);
    } finally {
      if (asking === mine) asking = null;
    }
  }

  function fail(asked, error) {
    const wasHere = panel.contains(document.activeElement);
    const first = error.problem?.errors?.[0]?.detail;
    const again = button("Try again", () => ask(asked));
    show(titleOf(asked), element("p", { className: "sm c-complaint", role: "alert", textContent: first ?? error.message }),
      element("div", { className: "row" }, button("Keep what is there", () => end(), "btn quiet s"), button("Something else", choose, "btn quiet s"), again));
    if (wasHere) again.focus({ preventScroll: true });
  }

  function answer(asked, generation) {
    const wasHere = panel.contains(document.activeElement);
    const { text, checks } = generation.result;
    if (!target.isUnchanged()) return overtaken(asked, text, wasHere);
    const { was, is } = diffPanes(withoutMarks(target.text), withoutMarks(text), directory);
    const remarks = element("ul", { className: "rewrite-findings sm" }, ...checks.findings.map(finding));
    remarks.setAttribute("aria-label", "What the checks say");
    const take = button("Accept", () => accept(asked, text, checks), "btn primary s");
    const more = button("Another try", () => { earlier.push(text); ask(asked); });
    if (!hasModel) more.hidden = true; // rules have one answer
    show(titleOf(asked), panes(was, is), ...(checks.findings.length ? [remarks] : []),
      element("p", { className: "xs dim", role: "status", textContent: writtenBy(generation) }),
      element("div", { className: "row" }, button("Keep old", () => end(), "btn quiet s"), button("Something else", () => { earlier = []; choose(); }, "btn quiet s"), element("span", { className: "push row" }, more, take)));
    if (wasHere) take.focus({ preventScroll: true });
  }

  async function accept(asked, text, checks) {
    if (!target.isUnchanged()) return overtaken(asked, text, true);
    if (!checks.ok) {
      const faults = checks.findings.filter((each) => each.severity === "block").map((each) => each.message);
      const isSure = await confirm({ title: "Take it although a check failed?", text: faults.join(" "), action: "Take it" });
      if (!isSure) return;
      if (!target.isUnchanged()) return overtaken(asked, text, true);
    }
    target.replace(text);
    end();
    say("Accepted. Undo brings the old text back.");
  }

  /** The person went on writing: what they typed stays, and so does the answer, to be copied. */
  function overtaken(asked, text, takesFocus) {
    const again = button("Ask again for it as it is now", () => {
      hold(target.again());
      earlier = [];
      if (target?.text.trim()) ask(asked);
      else end();
    });
    show(titleOf(asked), element("p", { className: "sm c-bounce", role: "alert", textContent: TYPED }), element("p", { className: "rewrite-spare sm", tabIndex: 0, textContent: withoutMarks(text) }),
      element("div", { className: "row" }, button("Keep mine", () => end()), element("span", { className: "push" }, again)));
    if (takesFocus) again.focus({ preventScroll: true });
  }

  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    end();
  });
  addEventListener("resize", () => { if (panel.matches(":popover-open")) place(); });

  return {
    /** Show what can be done with a text, or ask for it at once: `{instruction, language?, wish?}`. */
    open(next, asked) {
      stop();
      hold(next);
      earlier = [];
      if (asked) ask(asked);
      else choose();
    },
    close: () => end({ focus: false }),
    isOpen: () => panel.matches(":popover-open"),
  };
}
