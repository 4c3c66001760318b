// `pq/aiwriter/drafts`: shows a generation while it is being written, and afterwards.
//
//   import { watchGeneration } from "pq/aiwriter/drafts";
//   const watch = watchGeneration(element, generationId, { onDraft, onDone, onStage });
//   watch.cancel();   // asks the server to stop          watch.close();   // stops watching, the writing goes on
//
// `element` is the root of templates/aiwriter/_generation.html. Options:
//   onDraft(frame)   a draft is final and stored: {id, position, angle, subject, preview_text, blocks, guardrails}
//   onDone(frame)    {status, generation} with the generation as GET /v1/ai/drafts/<id> has it; also after a failure
//   onStage(frame)   {role, label, task, state, model, tokens, cost_micro_usd, summary, changes}; stored ones have ms, problems
//   facts            the facts of the brief: receipts carry their numbers
//   count            how many cards to lay out before the first word comes
//   isOver           it was finished when the page was made: what is stored is fetched, no socket is opened
// Buttons of a card send bubbling events on `element`: "pq:adopt", "pq:reject" with the draft in event.detail, and
// "pq:fact" with the words of a claim that should go into the brief.
// After the server has accepted or rejected, call watch.mark(position, "accepted" | "rejected").
//
// Frames are absolute snapshots: a repeated one does no harm, so a resumed stream needs no bookkeeping but the last
// seen number. Whatever a model wrote reaches the page as text only.

import { get, post } from "pq/http";
import { connect } from "pq/socket";
import { fillCard, letterOf, markCard } from "pq/aiwriter/card";
import { mixDialog } from "pq/aiwriter/mix";
import { partTools } from "pq/aiwriter/part_tools";
import { factNumbers, watchReceipts } from "pq/aiwriter/receipts";

const POLL_MS = 1500;
const TRIES_BEFORE_POLLING = 3;
/** The listeners of the watch that an element has now: a new watch replaces it. */
const listening = new WeakMap();
const DONE = new Set(["succeeded", "failed", "cancelled", "blocked"]);
const STATUS_LINES = {
  queued: "Waiting for the writer…",
  running: "Writing…",
  succeeded: "Ready.",
  failed: "The writer could not finish.",
  cancelled: "Stopped.",
  blocked: "Stopped before any cost.",
};

const part = (root, name) => root.querySelector(`[data-part="${name}"]`);

/**
 * Watch one generation and keep `element` up to date until it is done.
 *
 * @param {HTMLElement} element root of _generation.html
 * @param {string} generationId
 * @param {{onDone?: Function, onDraft?: Function, onStage?: Function, facts?: string[], count?: number, isOver?: boolean}} options
 * @returns {{cancel: () => Promise<void>, close: () => void, mark: (position: number, status: string) => void}}
 */
export function watchGeneration(element, generationId, { onDone, onDraft, onStage, facts = [], count = 0, isOver: wasOver = false } = {}) {
  const cards = part(element, "angles");
  const cardTemplate = part(element, "card");
  const cancelButton = element.querySelector('[data-act="cancel"]');
  const stateUrl = `${element.dataset.state}${generationId}`;
  const numberOf = factNumbers(facts);
  const drafts = new Map();
  let firstLook = Promise.resolve();
  /** The draft of a card; one that the server has drawn is on its way while the first look at what is stored lasts. */
  const draftAt = async (position) => drafts.get(position) ?? (await firstLook, drafts.get(position));
  const polling = new AbortController();
  let socket = null;
  let after = 0;
  let timer = 0;
  let isOver = false;

  function cardAt(position) {
    let card = [...cards.children].find((node) => node.dataset.position === String(position));
    if (!card) {
      card = cardTemplate.content.firstElementChild.cloneNode(true);
      card.dataset.position = position;
      for (const node of card.querySelectorAll('[data-part="letter"]')) node.textContent = letterOf(position);
      const next = [...cards.children].find((node) => Number(node.dataset.position) > position);
      cards.insertBefore(card, next ?? null);
    }
    const menu = card.querySelector("[data-part-menu]");
    if (menu && !menu.id) {
      menu.id = `parts-${generationId}-${position}`;
      card.querySelector("[data-part-open]").setAttribute("popovertarget", menu.id);
    }
    return card;
  }

  function setStatus(status, detail = "") {
    const line = part(element, "status");
    const words = [STATUS_LINES[status] ?? status, detail].filter(Boolean).join(" ");
    if (line.textContent !== words) line.textContent = words;
    line.dataset.status = status;
    // That all went well is seen from the drafts themselves; only listeners need the word.
    line.classList.toggle("vh", status === "succeeded" && !detail);
    if (!cancelButton) return;
    const hadFocus = cancelButton === document.activeElement;
    cancelButton.hidden = DONE.has(status);
    if (hadFocus && cancelButton.hidden) (cards.querySelector('[data-act="adopt"]') ?? cards).focus();
  }

  function finish(frame) {
    if (isOver) return;
    isOver = true;
    close();
    for (const card of [...cards.children]) {
      if (card.getAttribute("aria-busy") === "true") card.remove();
    }
    setStatus(frame.status, frame.generation?.error_detail ?? "");
    onDone?.(frame);
  }

  function take(draft) {
    const known = drafts.get(draft.position);
    const isNew = draft.is_final && draft.id && !known?.id;
    drafts.set(draft.position, draft);
    fillCard(cardAt(draft.position), draft, numberOf);
    if (isNew) onDraft?.(draft);
  }

  const handlers = {
    status: (frame) => setStatus(frame.status),
    stage: (frame) => onStage?.(frame),
    draft: take,
    error: (frame) => setStatus("failed", frame.detail),
    done: finish,
  };

  function receive(frame) {
    if (typeof frame.seq === "number") after = frame.seq;
    handlers[frame.type]?.(frame);
  }

  function onState(state, { attempt = 0 } = {}) {
    clearTimeout(timer);
    if (isOver) return;
    // The stored state can be asked for while the socket keeps trying: frames are snapshots, both may arrive.
    if (state === "denied" || attempt >= TRIES_BEFORE_POLLING) poll();
  }

  /** Show what is stored; returns the generation. */
  async function refresh() {
    const generation = await get(stateUrl, { signal: polling.signal });
    for (const stage of generation.desk ?? []) onStage?.(stage);
    for (const draft of generation.drafts) take({ ...draft, is_final: true });
    return generation;
  }

  async function poll() {
    clearTimeout(timer);
    try {
      const generation = await refresh();
      if (isOver) return;
      if (DONE.has(generation.status)) {
        finish({ type: "done", status: generation.status, generation });
        return;
      }
      setStatus(generation.status);
    } catch (error) {
      if (error.name === "AbortError") return;
    }
    if (!isOver) timer = setTimeout(poll, POLL_MS);
  }

  async function cancel() {
    if (isOver) return;
    if (cancelButton) cancelButton.disabled = true;
    await post(`${stateUrl}/cancel`, {});
  }

  function close() {
    polling.abort();
    clearTimeout(timer);
    socket?.close();
  }

  listening.get(element)?.abort();
  const ears = new AbortController();
  listening.set(element, ears);
  const say = (words) => { part(element, "said").textContent = words; };
  /** A generation as the server has it after a part or a mix was made. */
  const showStored = (generation) => { for (const draft of generation.drafts) take({ ...draft, is_final: true }); };
  const tools = element.dataset.readonly ? null : partTools(element, { generationId, draftAt, cardAt, showStored, say, signal: ears.signal });
  const acts = {
    cancel,
    mix: (draft) => mixDialog({ drafts: [...drafts.values()], first: draft, generationId, onMixed: (generation) => {
      showStored(generation);
      const card = cardAt(generation.drafts.at(-1).position);
      card.focus();
      card.scrollIntoView({ block: "nearest", inline: "nearest" });
      say(`${generation.drafts.at(-1).angle}: added as angle ${letterOf(generation.drafts.at(-1).position)}.`);
    } }),
    restore: (draft) => tools?.restore(draft),
  };
  element.addEventListener("click", async (event) => {
    const checks = event.target.closest('[data-part="checks"]');
    if (checks) {
      const findings = part(checks.closest("[data-angle]"), "findings");
      findings.hidden = !findings.hidden;
      checks.dataset.touched = "yes";
      checks.setAttribute("aria-expanded", String(!findings.hidden));
    }
    const button = event.target.closest("[data-act]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    const card = button.closest("[data-angle]");
    const draft = card && await draftAt(Number(card.dataset.position));
    if (acts[button.dataset.act]) acts[button.dataset.act](draft);
    else if (draft) element.dispatchEvent(new CustomEvent(`pq:${button.dataset.act}`, { bubbles: true, detail: draft }));
  }, { signal: ears.signal });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || isOver || event.target.closest("[popover]")) return;
    event.preventDefault();
    cancel();
  }, { signal: ears.signal });
  if (!element.dataset.receipts) {
    element.dataset.receipts = "watched";
    watchReceipts(element, (badge) => {
      const card = badge.closest("[data-angle]");
      if (element.dataset.readonly || card.dataset.state === "adopted") return [];
      return [
        ["Write it anew", (receipt) => card.dispatchEvent(new CustomEvent("pq:rewrite", { bubbles: true, detail: receipt }))],
        ["It is true: add it to the brief", (receipt) => card.dispatchEvent(new CustomEvent("pq:fact", { bubbles: true, detail: receipt.text }))],
      ];
    });
  }

  if (cancelButton) cancelButton.disabled = false;
  if (wasOver) {
    firstLook = poll();
  } else {
    cards.replaceChildren();
    for (let position = 0; position < count; position += 1) fillCard(cardAt(position), { position, blocks: [] }, numberOf);
    setStatus("queued");
    socket = connect(() => `${element.dataset.socket}${generationId}?after=${after}`, { onFrame: receive, onState });
  }

  return {
    cancel,
    close: () => { isOver = true; close(); },
    mark: (position, status) => {
      const draft = drafts.get(position);
      if (draft) markCard(cardAt(position), Object.assign(draft, { status }));
    },
  };
}
