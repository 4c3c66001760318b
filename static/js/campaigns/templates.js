/** The gallery of templates: looking at one as it will be read, renaming, and deleting with a way back. */

import { csrfToken } from "pq/http";
import { toast } from "pq/toast";

const one = (selector) => document.querySelector(selector);

// --- looking -----------------------------------------------------------------------------------------------------
const look = one("#look");
const stage = one("[data-look-stage]");
const WIDTHS = { desktop: 680, mobile: 360, dark: 680, text: 680 };
let address = "";
let view = "desktop";

/** Scale the frame down to the room there is; it keeps the width for which the mail is laid out. */
function fit() {
  const frame = one("[data-look-frame]");
  const scale = Math.min(1, stage.clientWidth / WIDTHS[view]);
  frame.style.setProperty("width", `${WIDTHS[view]}px`);
  frame.style.setProperty("height", `${Math.round(stage.clientHeight / scale)}px`);
  frame.style.setProperty("transform", `scale(${scale})`);
}

function show(name) {
  view = name;
  for (const button of look.querySelectorAll("[data-look]")) button.setAttribute("aria-pressed", String(button.dataset.look === view));
  const old = one("[data-look-frame]");
  const frame = old.cloneNode();
  frame.className = view === "dark" ? "dark" : "light";
  frame.src = `${address}?look=${view === "dark" || view === "text" ? view : "light"}`;
  old.replaceWith(frame);
  fit();
}

look.addEventListener("click", (event) => {
  const button = event.target.closest("[data-look]");
  if (button) show(button.dataset.look);
});
new ResizeObserver(fit).observe(stage);

// --- renaming ----------------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-preview]");
  if (opener) {
    address = opener.dataset.preview;
    one("[data-look-name]").textContent = opener.dataset.name;
    look.showModal();
    show("desktop");
  }
  const rename = event.target.closest("[data-rename]");
  if (rename) {
    const form = one("[data-rename-form]");
    form.action = rename.dataset.rename;
    form.elements.name.value = rename.dataset.name;
    form.elements.purpose.value = rename.dataset.purpose;
    rename.closest("[popover]").hidePopover();
    one("#rename").showModal();
    form.elements.name.select();
  }
});

// --- deleting ----------------------------------------------------------------------------------------------------
/** Forms whose template is hidden but still there. */
const waiting = new Set();

async function destroy(form) {
  if (!waiting.delete(form)) return;
  const answer = await fetch(form.action, { method: "POST", keepalive: true, headers: { Accept: "application/json", "X-CSRFToken": csrfToken() } }).catch(() => null);
  if (!answer?.ok) {
    form.closest("[data-template]").hidden = false;
    toast("It could not be deleted. Try again in a moment.", { tone: "error" });
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-delete-template]");
  if (!form) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // nothing is sent yet, so the button stays usable
  form.closest("[popover]").hidePopover();
  const card = form.closest("[data-template]");
  card.hidden = true;
  waiting.add(form);
  toast(`Deleted “${form.dataset.deleteTemplate}”. Campaigns that started from it keep their content.`, {
    undo: () => { waiting.delete(form); card.hidden = false; },
    onGone: () => destroy(form),
  });
}, true);
addEventListener("pagehide", () => { for (const form of [...waiting]) destroy(form); });
