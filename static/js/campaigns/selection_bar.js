/**
 * Where rewriting begins: a small bar beside selected words, Ctrl+J anywhere in a text, and a row under a chosen block.
 */

import { element } from "pq/element";
import { debounce } from "pq/forms";
import { icon } from "pq/icon";
import { toast } from "pq/toast";
import { placeBeside } from "pq/campaigns/pick_menu";
import { QUICK } from "pq/campaigns/rewrite_actions";
import { arrowKeys } from "pq/campaigns/rewriter";
import { hasSelection, targetAt } from "pq/campaigns/rewrite_targets";

const SETTLED_MS = 180;
const KEYS = navigator.platform?.startsWith("Mac") ? "⌘J" : "Ctrl J";

function chip(label, act) {
  const made = element("button", { type: "button", className: "chip", textContent: label });
  // A click must not take the selection away from the text.
  made.addEventListener("pointerdown", (event) => event.preventDefault());
  made.addEventListener("click", act);
  return made;
}

/**
 * @param {HTMLElement} root the editor's card
 * @param {{rewriter: object, apart: (work: () => void) => void, code: object}} options
 */
export function selectionBar(root, { rewriter, apart, code }) {
  const bar = element("div", { className: "menu select-bar", id: "select-bar", popover: "manual" });
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Rewrite the selected words");
  (document.querySelector("main") ?? document.body).append(bar);
  let node = null;

  function start(asked, { isWhole = false } = {}) {
    const { target, reason } = targetAt(node, { apart, code, isWhole });
    hide();
    if (target) rewriter.open(target, asked);
    else toast(reason);
  }
  const hide = () => { if (bar.matches(":popover-open")) bar.hidePopover(); };

  const more = chip("More…", () => start());
  more.append(element("kbd", { textContent: KEYS }));
  bar.append(icon("sparkle", "s"), ...QUICK.map(({ instruction, label }) => chip(label, () => start({ instruction }))), more);
  arrowKeys(bar);

  function show() {
    if (rewriter.isOpen() || !hasSelection(root)) return hide();
    node = document.activeElement;
    const { target } = targetAt(node, { apart, code });
    if (!target) return hide();
    if (!bar.matches(":popover-open")) bar.showPopover();
    placeBeside(bar, { getBoundingClientRect: () => target.place() }, { isAbove: true }); // below stand the block's own tools
  }
  const settle = debounce(show, SETTLED_MS);
  document.addEventListener("selectionchange", () => { if (!bar.contains(document.activeElement)) settle(); });
  addEventListener("scroll", hide, { passive: true, capture: true });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && bar.matches(":popover-open")) hide();
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "j" || !root.contains(event.target)) return;
    event.preventDefault();
    node = document.activeElement;
    start();
  }, true);

  return {
    /** A row for a chosen block: the words selected in it, or all of them. `editorOf` gives its editor. */
    row(editorOf) {
      const begin = (asked) => {
        const editor = editorOf();
        if (!editor) return;
        node = editor.view.dom;
        start(asked);
      };
      const chips = [...QUICK.map(({ instruction, label }) => chip(label, () => begin({ instruction }))), chip("Ask for a change…", () => begin())];
      const made = element("div", { className: "rewrite-row" }, icon("sparkle", "s"), ...chips);
      made.setAttribute("role", "toolbar");
      made.setAttribute("aria-label", "Rewrite this text");
      arrowKeys(made);
      return made;
    },
  };
}
