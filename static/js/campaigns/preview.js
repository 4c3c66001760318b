/**
 * The preview card: the mail as one contact would get it, a moment after each change.
 *
 * Subject, text and size come as JSON; the mail itself is loaded into a sandboxed frame by posting a form to it, so that
 * it is a document of its own with its own policy. Two frames take turns: the old mail stays until the new one is there.
 */

import { element } from "pq/element";
import { clock } from "pq/format";
import { debounce } from "pq/forms";
import { csrfToken, post } from "pq/http";
import { contactChoice } from "pq/campaigns/contact_choice";

const CLIP_KB = 102;
const NEAR_KB = 90;
/** Frame widths in pixels; the frame is scaled down to the card. */
const WIDTHS = { desktop: 680, mobile: 375, dark: 375 };
const HEIGHT = 600;
const PAUSE_MS = 250;
/** A frame that does not answer is not waited for. */
const PATIENCE_MS = 5000;

let serial = 0;

/**
 * @param {HTMLElement} root markup of templates/campaigns/_preview.html
 * @param {{url: string, contactsUrl: string, sample: ?{id: string, email: string}, fields?: object, onProblem?: (problem: object|null) => void}} options
 *   `fields` go along with each request; `onProblem` is told the server's refusal as problem+json, or null.
 */
export function previewPanel(root, { url, contactsUrl, sample, fields = {}, onProblem = () => {} }) {
  const stage = root.querySelector("[data-stage]");
  const plain = root.querySelector("[data-plain]");
  const device = root.querySelector("[data-device]");
  const size = root.querySelector("[data-size]");
  const failure = root.querySelector("[data-preview-error]");
  const darkChoice = root.querySelector("[data-dark]");
  const inbox = root.querySelector("[data-inboxes]");
  let view = "mobile";
  let look = "own";
  let content = null;
  let request = null;

  const contact = contactChoice(root.querySelector("[data-as]"), { url: contactsUrl, sample, onChange: () => refresh() });
  const isFramed = () => Object.hasOwn(WIDTHS, view);
  const frames = () => [...stage.querySelectorAll("iframe")];

  function fit() {
    const width = WIDTHS[view] ?? WIDTHS.mobile;
    const style = getComputedStyle(device);
    const room = device.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const scale = Math.min(1, room / width);
    stage.style.setProperty("width", `${Math.round(width * scale)}px`);
    stage.style.setProperty("height", `${HEIGHT}px`);
    for (const frame of frames()) {
      frame.style.setProperty("width", `${width}px`);
      frame.style.setProperty("height", `${Math.round(HEIGHT / scale)}px`);
      frame.style.setProperty("transform", `scale(${scale})`);
    }
  }

  /** Load the mail into a new frame and take the old one away once it is there. */
  function loadFrame() {
    const isDark = view === "dark";
    const frame = element("iframe", { title: "The mail", name: `mail-${++serial}`, className: isDark ? "dark" : "light", referrerPolicy: "no-referrer" });
    frame.setAttribute("sandbox", "");
    frame.dataset.frame = "";
    frame.classList.add("loading");
    const form = element("form", { method: "post", action: url, target: frame.name, hidden: true });
    const values = { ...fields, contact: contact.id ?? "", look: isDark ? look : "light", content: JSON.stringify(content), csrfmiddlewaretoken: csrfToken() };
    form.append(...Object.entries(values).map(([name, value]) => element("input", { type: "hidden", name, value })));
    stage.append(frame, form);
    fit();
    const done = () => {
      clearTimeout(patience);
      if (!frame.isConnected) return;
      for (const other of frames()) if (other !== frame && Number(other.name.split("-")[1]) < Number(frame.name.split("-")[1])) other.remove();
      frame.classList.remove("loading");
    };
    const patience = setTimeout(done, PATIENCE_MS);
    frame.addEventListener("load", done, { once: true });
    form.submit();
    form.remove();
  }

  function showFacts(mail) {
    for (const place of root.querySelectorAll("[data-inbox-subject]")) place.textContent = mail.subject || "No subject yet";
    for (const place of root.querySelectorAll("[data-inbox-preview]")) place.textContent = mail.preview_text || "No preview text";
    for (const place of root.querySelectorAll("[data-inbox-time]")) place.textContent = clock(new Date());
    plain.textContent = mail.text;
    const kilobytes = Math.ceil(mail.size_bytes / 1024);
    size.hidden = false;
    size.className = `chip ${kilobytes >= CLIP_KB ? "bad" : kilobytes >= NEAR_KB ? "warn" : "ok"}`;
    size.textContent = `${kilobytes} of ${CLIP_KB} KB`;
  }

  async function refresh() {
    if (!content) return;
    request?.abort();
    request = new AbortController();
    try {
      showFacts(await post(url, { ...fields, contact: contact.id ?? "", content }, { signal: request.signal }));
      failure.hidden = true;
      onProblem(null);
      if (isFramed()) loadFrame();
    } catch (error) {
      if (error.name === "AbortError") return;
      failure.hidden = false;
      failure.textContent = error.problem?.errors?.[0]?.detail ?? error.message;
      onProblem(error.problem ?? null);
    }
  }

  function show(newView) {
    view = newView;
    for (const button of root.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    plain.hidden = view !== "text";
    inbox.hidden = view !== "inbox";
    root.querySelector("[data-inbox]").hidden = view === "inbox"; // it would be there twice
    stage.hidden = !isFramed();
    darkChoice.hidden = view !== "dark";
    if (isFramed() && content) loadFrame();
  }

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-view], [data-look]");
    if (button?.dataset.view) show(button.dataset.view);
    if (button?.dataset.look) {
      look = button.dataset.look;
      for (const other of root.querySelectorAll("[data-look]")) other.setAttribute("aria-pressed", String(other === button));
      loadFrame();
    }
  });
  new ResizeObserver(() => { if (isFramed()) fit(); }).observe(device);
  show(view);
  const soon = debounce(refresh, PAUSE_MS);
  return {
    /** Show other content, a moment after the last change. */
    show(newContent) {
      const isFirst = content === null;
      content = structuredClone(newContent);
      if (isFirst) refresh();
      else soon();
    },
    /** The pane became visible or changed its size. */
    fit: () => { if (isFramed()) fit(); },
  };
}
