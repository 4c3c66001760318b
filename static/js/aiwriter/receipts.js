/**
 * Receipts: each number, price, date, code, link and claim of a draft with the fact that supports it.
 *
 * `marked(text, receipts, numbers)` underlines the statements in a text and puts a small button behind each. Pointing at
 * it, focusing it or tapping it shows the fact; what nothing supports leads to another wording or to the brief.
 */

import { element } from "pq/element";

const SOURCES = { brief: "From the brief", brand: "A fact of your brand", link: "A link of the brief", person: "A person answers for it" };
const GAP = 6;

/** Numbers for facts: those of the brief keep their place in its list, others follow. */
export function factNumbers(facts = []) {
  const numbers = new Map(facts.map((fact, index) => [fact, index + 1]));
  return (text) => {
    if (!numbers.has(text)) numbers.set(text, numbers.size + 1);
    return numbers.get(text);
  };
}

function badge(receipt, numberOf) {
  const number = receipt.support ? String(numberOf(receipt.support.text)) : "?";
  const button = element("button", { type: "button", className: receipt.support ? "rcpt" : "rcpt no", textContent: number });
  const words = receipt.support ? `“${receipt.text}”: ${SOURCES[receipt.support.source]}, ${receipt.support.text}` : `“${receipt.text}” has no receipt`;
  button.setAttribute("aria-label", words);
  button.setAttribute("aria-expanded", "false");
  button.receipt = receipt;
  return button;
}

/**
 * @param {string} text
 * @param {object[]} receipts those of this text, in their order; the ones that were found are taken out of the list
 * @param {(fact: string) => number} numberOf
 * @returns {(Node|string)[]}
 */
export function marked(text, receipts, numberOf) {
  const nodes = [];
  let at = 0;
  for (const receipt of [...receipts]) {
    const start = text.indexOf(receipt.text, at);
    if (start < 0) continue;
    receipts.splice(receipts.indexOf(receipt), 1);
    const end = start + receipt.text.length;
    if (start > at) nodes.push(text.slice(at, start));
    nodes.push(element("span", { className: receipt.support ? "claim" : "claim no", textContent: receipt.text }), badge(receipt, numberOf));
    at = end;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

/** The buttons of receipts whose words do not stand in the text as they are, such as the address of a link. */
export const loose = (receipts, numberOf) => receipts.map((receipt) => badge(receipt, numberOf));

let open = null;

function close() {
  if (!open) return;
  open.button.setAttribute("aria-expanded", "false");
  open.card.remove();
  open = null;
}

function place(card, button) {
  const anchor = button.getBoundingClientRect();
  const box = card.getBoundingClientRect();
  const fitsBelow = anchor.bottom + GAP + box.height <= innerHeight;
  const top = fitsBelow ? anchor.bottom + GAP : Math.max(GAP, anchor.top - GAP - box.height);
  const left = Math.min(Math.max(GAP, anchor.left - 24), innerWidth - box.width - GAP);
  card.style.setProperty("inset", `${top}px auto auto ${left}px`);
}

function show(button, isPinned, actions) {
  if (open?.button === button) {
    open.isPinned ||= isPinned;
    return;
  }
  close();
  const { receipt } = button;
  const card = element("span", { className: receipt.support ? "rcpt-card" : "rcpt-card no", popover: "manual" });
  if (receipt.support) {
    card.append(element("b", { textContent: SOURCES[receipt.support.source] }), element("span", { textContent: receipt.support.text, dir: "auto" }));
  } else {
    card.append(element("b", { textContent: `“${receipt.text}” has no receipt` }), element("span", { textContent: "Neither the brief nor your brand facts say it. It holds sending back until it is changed or a person answers for it." }));
    if (actions.length) card.append(element("span", { className: "row" }, ...actions.map(([words, act]) => {
      const go = element("button", { type: "button", className: "btn s", textContent: words });
      go.addEventListener("click", () => { close(); act(receipt); });
      return go;
    })));
  }
  button.after(card);
  card.showPopover();
  place(card, button);
  button.setAttribute("aria-expanded", "true");
  open = { button, card, isPinned };
}

/**
 * Let the receipts below `root` be looked at.
 *
 * @param {HTMLElement} root
 * @param {(button: HTMLElement) => [string, (receipt: object) => void][]} actionsOf what can be done about one without support
 */
export function watchReceipts(root, actionsOf) {
  const at = (event) => event.target.closest?.(".rcpt");
  const leaves = (event) => open && !open.isPinned && !open.card.contains(event.relatedTarget) && event.relatedTarget !== open.button;
  root.addEventListener("pointerover", (event) => { if (at(event)?.receipt && event.pointerType === "mouse") show(at(event), false, actionsOf(at(event))); });
  root.addEventListener("pointerout", (event) => { if (event.pointerType === "mouse" && leaves(event)) close(); });
  root.addEventListener("focusin", (event) => { if (at(event)?.receipt) show(at(event), false, actionsOf(at(event))); });
  root.addEventListener("focusout", (event) => { if (open && !open.card.contains(event.relatedTarget) && event.relatedTarget !== open.button) close(); });
  root.addEventListener("click", (event) => { if (at(event)?.receipt) show(at(event), true, actionsOf(at(event))); });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !open) return;
    const { button } = open;
    event.stopPropagation();
    event.preventDefault();
    button.focus();
    close();
  });
  addEventListener("scroll", () => { if (open) place(open.card, open.button); }, { passive: true, capture: true });
}
