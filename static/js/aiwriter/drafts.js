// `pq/aiwriter/drafts`: shows a generation while it is being written.
//
//   import { watchGeneration } from "pq/aiwriter/drafts";
//   const watch = watchGeneration(element, generationId, { onDraft, onDone, onStage });
//   watch.cancel();   // asks the server to stop          watch.close();   // stops watching, the writing goes on
//
// `element` is the root of templates/aiwriter/_generation.html. Callbacks:
//   onDraft(frame)   a draft is final and stored: {id, position, angle, subject, preview_text, blocks, guardrails}
//   onDone(frame)    {status, generation} with the generation as GET /v1/ai/drafts/<id> has it; also after a failure
//   onStage(frame)   {role, task, state, model, tokens, cost_micro_usd, summary}
// Buttons of a card send bubbling events on `element`: "pq:adopt" and "pq:reject", with the draft in event.detail.
// After the server has accepted or rejected, call watch.mark(position, "accepted" | "rejected").
//
// Frames are absolute snapshots: a repeated one does no harm, so a resumed stream needs no bookkeeping but the last
// seen number. Whatever a model wrote reaches the page as text only.

import { get, post } from "pq/http";
import { connect } from "pq/socket";

const LETTERS = "ABCDEFGH";
const POLL_MS = 1500;
const TRIES_BEFORE_POLLING = 3;
/** The click listener of the watch that an element has now: a new watch replaces it. */
const clicks = new WeakMap();
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
const parts = (root, name) => root.querySelectorAll(`[data-part="${name}"]`);
const show = (root, name, isShown) => root.querySelectorAll(`[data-when="${name}"]`).forEach((node) => { node.hidden = !isShown; });
const say = (root, name, text) => parts(root, name).forEach((node) => { node.textContent = text; });

/** Readable text of rich text: tags gone, merge tags as a reader would see them. */
function plain(html) {
  const text = new DOMParser().parseFromString(html, "text/html").body.textContent;
  return text
    .replace(/\{\{\^(\w+)\}\}[\s\S]*?\{\{\/\1\}\}/g, "")
    .replace(/\{\{[#/]\w+\}\}/g, "")
    .replace(/\{\{\{?\s*([\w.]+)\s*\}?\}\}/g, (_match, tag) => `‹${tag.replace(/[._]/g, " ")}›`);
}

const SKETCHED = new Set(["text", "quote", "product"]);

/** What a body says in running text: headings and buttons are left out. */
export function sketchOf(blocks) {
  return (blocks || [])
    .filter((block) => SKETCHED.has(block.type))
    .map((block) => String(block.html || block.text || block.title || ""))
    .map((text) => plain(text.replace(/<li>/g, " • ").replace(/<\/(p|li)>|<br\s*\/?>/g, " ")))
    .filter(Boolean)
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
}

function findingsLabel(findings) {
  const open = findings.filter((finding) => finding.severity !== "info").length;
  if (open === 0) return "All checks passed";
  return open === 1 ? "1 thing to check" : `${open} things to check`;
}

function fillCard(card, frame) {
  const letter = LETTERS[frame.position] ?? String(frame.position + 1);
  const sketch = sketchOf(frame.blocks);
  const isFinal = Boolean(frame.is_final);
  card.dataset.position = frame.position;
  if (frame.id) card.dataset.draft = frame.id;
  say(card, "letter", letter);
  say(card, "angle", frame.angle || "");
  say(card, "subject", frame.subject || "…");
  say(card, "preview_text", frame.preview_text || "");
  say(card, "sketch", sketch);
  const words = frame.guardrails?.metrics?.words ?? (sketch ? sketch.split(" ").length : 0);
  say(card, "words", words ? `${words} words` : "");
  card.setAttribute("aria-busy", String(!isFinal));
  show(card, "writing", !isFinal);
  show(card, "waiting", !isFinal && sketch.length < 200);
  show(card, "ready", isFinal && Boolean(frame.id));
  show(card, "offline", isFinal && frame.is_ai_generated === false);
  const findings = frame.guardrails?.findings ?? [];
  const list = part(card, "findings");
  list.replaceChildren(...findings.map((finding) => {
    const item = document.createElement("li");
    item.dataset.severity = finding.severity;
    item.textContent = finding.message;
    return item;
  }));
  list.hidden = findings.length === 0;
  const hasChecks = Boolean(frame.guardrails);
  part(card, "checks").hidden = !hasChecks;
  part(card, "grade").hidden = frame.guardrails?.metrics?.grade === undefined;
  if (hasChecks) {
    say(card, "checks", findingsLabel(findings));
    say(card, "grade", `Grade ${frame.guardrails.metrics?.grade}`);
    show(card, "blocked", !frame.guardrails.ok);
  }
  if (frame.status) markCard(card, frame.status);
}

function markCard(card, status) {
  card.classList.toggle("on", status === "accepted");
  show(card, "adopted", status === "accepted");
  show(card, "rejected", status === "rejected");
  const adopt = card.querySelector('[data-act="adopt"]');
  const reject = card.querySelector('[data-act="reject"]');
  if (adopt) adopt.disabled = status === "accepted";
  say(card, "adopt", status === "accepted" ? "In the editor" : "Adopt");
  if (reject) reject.disabled = status === "rejected";
}

const STAGE_DOTS = { started: "dot live", done: "dot ok", failed: "dot bad" };

function fillStage(desk, template, frame) {
  const key = `${frame.role}:${frame.task}`;
  let row = [...desk.children].find((item) => item.dataset.key === key);
  if (!row) {
    row = template.content.firstElementChild.cloneNode(true);
    row.dataset.key = key;
    desk.append(row);
  }
  part(row, "dot").className = STAGE_DOTS[frame.state] ?? "dot";
  say(row, "role", frame.label || frame.role);
  say(row, "cost", frame.state === "started" ? "" : frame.cost_micro_usd ? `$${(frame.cost_micro_usd / 1e6).toFixed(4)}` : "$0");
  const facts = [frame.summary, frame.model, frame.tokens ? `${frame.tokens} tokens` : ""].filter(Boolean);
  say(row, "summary", facts.join(" · "));
}

/**
 * Watch one generation and keep `element` up to date until it is done.
 *
 * @param {HTMLElement} element root of _generation.html
 * @param {string} generationId
 * @param {{onDone?: Function, onDraft?: Function, onStage?: Function}} callbacks
 * @returns {{cancel: () => Promise<void>, close: () => void, mark: (position: number, status: string) => void}}
 */
export function watchGeneration(element, generationId, { onDone, onDraft, onStage } = {}) {
  const cards = part(element, "angles");
  const cardTemplate = part(element, "card");
  const desk = part(element, "desk");
  const stageTemplate = part(element, "stage");
  const cancelButton = element.querySelector('[data-act="cancel"]');
  const stateUrl = `${element.dataset.state}${generationId}`;
  const drafts = new Map();
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
      const next = [...cards.children].find((node) => Number(node.dataset.position) > position);
      cards.insertBefore(card, next ?? null);
    }
    return card;
  }

  function setStatus(status, detail = "") {
    say(element, "status", [STATUS_LINES[status] ?? status, detail].filter(Boolean).join(" "));
    // That all went well is seen from the drafts themselves; only listeners need the word.
    part(element, "status").classList.toggle("vh", status === "succeeded" && !detail);
    if (cancelButton) cancelButton.hidden = DONE.has(status);
  }

  function finish(frame) {
    if (isOver) return;
    isOver = true;
    close();
    setStatus(frame.status, frame.generation?.error_detail ?? "");
    for (const card of [...cards.children]) {
      if (card.getAttribute("aria-busy") === "true") card.remove();
    }
    onDone?.(frame);
  }

  const handlers = {
    status: (frame) => setStatus(frame.status),
    stage: (frame) => {
      if (desk) fillStage(desk, stageTemplate, frame);
      onStage?.(frame);
    },
    draft: (frame) => {
      const isNew = frame.is_final && frame.id && !drafts.get(frame.position)?.id;
      drafts.set(frame.position, frame);
      fillCard(cardAt(frame.position), frame);
      if (isNew) onDraft?.(frame);
    },
    error: (frame) => say(element, "status", frame.detail),
    done: finish,
  };

  function take(frame) {
    if (typeof frame.seq === "number") after = frame.seq;
    handlers[frame.type]?.(frame);
  }

  function onState(state, { attempt = 0 } = {}) {
    clearTimeout(timer);
    if (isOver) return;
    // The stored state can be asked for while the socket keeps trying: frames are snapshots, both may arrive.
    if (state === "denied" || attempt >= TRIES_BEFORE_POLLING) poll();
  }

  async function poll() {
    clearTimeout(timer);
    try {
      const generation = await get(stateUrl, { signal: polling.signal });
      if (isOver) return;
      setStatus(generation.status);
      for (const draft of generation.drafts) handlers.draft({ ...draft, type: "draft", is_final: true });
      if (DONE.has(generation.status)) {
        finish({ type: "done", status: generation.status, generation });
        return;
      }
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

  clicks.get(element)?.abort();
  const clicking = new AbortController();
  clicks.set(element, clicking);
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    if (button === cancelButton) {
      cancel();
      return;
    }
    const card = button.closest("[data-angle]");
    const draft = card && drafts.get(Number(card.dataset.position));
    if (draft) element.dispatchEvent(new CustomEvent(`pq:${button.dataset.act}`, { bubbles: true, detail: draft }));
  }, { signal: clicking.signal });

  cards.replaceChildren();
  if (desk) desk.replaceChildren();
  if (cancelButton) cancelButton.disabled = false;
  setStatus("queued");
  socket = connect(() => `${element.dataset.socket}${generationId}?after=${after}`, { onFrame: take, onState });

  return {
    cancel,
    close: () => { isOver = true; close(); },
    mark: (position, status) => markCard(cardAt(position), status),
  };
}
