/** The preview card: the saved mail as a contact would get it, in a sandboxed frame, with the inbox row and its size. */

import { clock } from "pq/format";
import { get, post } from "pq/http";
import { debounce } from "pq/forms";

const CLIP_KB = 102;
const NEAR_KB = 90;
/** Frame widths in pixels; the frame is scaled down to the card. */
const WIDTHS = { desktop: 680, mobile: 375, dark: 375 };
const HEIGHT = 600;

/**
 * @param {HTMLElement} root the preview card
 * @param {{urls: {preview: string, frame: string, contacts: string}, label: string, sample: ?{id: string, email: string}}} options
 */
export function previewPanel(root, { urls, label, sample }) {
  const frame = root.querySelector("[data-frame]");
  const plain = root.querySelector("[data-plain]");
  const device = root.querySelector("[data-device]");
  const size = root.querySelector("[data-size]");
  const failure = root.querySelector("[data-preview-error]");
  const who = root.querySelector("[data-as]");
  const choices = root.querySelector("datalist");
  const found = new Map(sample ? [[sample.email, sample.id]] : []);
  let view = "mobile";
  let contact = sample?.id ?? null;
  let revision = 0;
  let request = null;

  function fit() {
    const width = WIDTHS[view] ?? WIDTHS.mobile;
    const style = getComputedStyle(device);
    const room = device.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const scale = Math.min(1, room / width);
    frame.style.setProperty("width", `${width}px`);
    frame.style.setProperty("height", `${Math.round(HEIGHT / scale)}px`);
    frame.style.setProperty("transform", `scale(${scale})`);
    frame.style.setProperty("margin-bottom", `${Math.round(HEIGHT - HEIGHT / scale)}px`);
    frame.style.setProperty("margin-right", `${Math.round(room < width ? room - width : 0)}px`);
  }

  async function refresh(newRevision = revision) {
    revision = newRevision;
    request?.abort();
    request = new AbortController();
    const address = new URLSearchParams({ variant: label, r: String(revision), ...(contact ? { contact } : {}) });
    frame.src = `${urls.frame}?${address}`;
    try {
      const mail = await post(urls.preview, { variant: label, ...(contact ? { contact } : {}) }, { signal: request.signal });
      failure.hidden = true;
      root.querySelector("[data-inbox-subject]").textContent = mail.subject || "No subject yet";
      root.querySelector("[data-inbox-preview]").textContent = mail.preview_text || "No preview text";
      root.querySelector("[data-inbox-time]").textContent = clock(new Date());
      plain.textContent = mail.text;
      const kilobytes = Math.ceil(mail.size_bytes / 1024);
      size.hidden = false;
      size.className = `chip ${kilobytes >= CLIP_KB ? "bad" : kilobytes >= NEAR_KB ? "warn" : "ok"}`;
      size.textContent = `${kilobytes} of ${CLIP_KB} KB`;
    } catch (error) {
      if (error.name === "AbortError") return;
      failure.hidden = false;
      failure.textContent = error.message;
    }
  }

  function show(newView) {
    view = newView;
    for (const button of root.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    plain.hidden = view !== "text";
    frame.hidden = view === "text";
    frame.classList.toggle("dark", view === "dark");
    frame.classList.toggle("light", view !== "dark");
    if (view !== "text") fit();
  }

  const search = debounce(async () => {
    const text = who.value.trim();
    if (found.has(text)) return;
    const page = await get(`${urls.contacts}?${new URLSearchParams({ q: text, limit: "8" })}`).catch(() => ({ results: [] }));
    choices.replaceChildren(...page.results.map((one) => {
      const name = [one.first_name, one.last_name].filter(Boolean).join(" ");
      found.set(one.email, one.id);
      return Object.assign(document.createElement("option"), { value: one.email, label: name });
    }));
    choose(); // an address that was typed whole is a choice too
  }, 250);

  /** Show the mail as the contact whose address stands in the box; false when it names nobody we know of. */
  function choose() {
    const chosen = who.value.trim() === "" ? null : found.get(who.value.trim());
    if (chosen === undefined) return false;
    if (chosen !== contact) {
      contact = chosen;
      refresh();
    }
    return true;
  }

  who.addEventListener("input", () => { if (!choose()) search(); });
  who.addEventListener("focus", () => { if (choices.children.length === 0) search(); }, { once: true });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-view]");
    if (button) show(button.dataset.view);
  });
  new ResizeObserver(() => { if (!frame.hidden) fit(); }).observe(device);
  show(view);
  return { refresh, show };
}
