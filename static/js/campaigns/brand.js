/** The brand page: a sample mail follows the form while it is filled in. */

import { element } from "pq/element";
import { debounce } from "pq/forms";
import { pickPicture } from "pq/campaigns/media_picker";

const form = document.querySelector("[data-brand]");
const stage = document.querySelector("[data-sample-stage]");
const WIDTH = 640;
let look = "light";
let serial = 0;

function fit() {
  const scale = Math.min(1, stage.clientWidth / WIDTH);
  for (const frame of stage.querySelectorAll("iframe")) {
    frame.style.setProperty("width", `${WIDTH}px`);
    frame.style.setProperty("height", `${Math.round(stage.clientHeight / scale)}px`);
    frame.style.setProperty("transform", `scale(${scale})`);
  }
}

/** Post the form into a new frame; the old one stays until the new mail is there. */
function show() {
  const frame = element("iframe", { title: "A mail of yours", name: `sample-${++serial}`, className: `loading ${look}`, referrerPolicy: "no-referrer" });
  frame.setAttribute("sandbox", "");
  const copy = element("form", { method: "post", action: form.dataset.previewUrl, target: frame.name, hidden: true });
  for (const [name, value] of [...new FormData(form), ["look", look]]) copy.append(element("input", { type: "hidden", name, value }));
  const old = [...stage.querySelectorAll("iframe")];
  stage.append(frame, copy);
  fit();
  frame.addEventListener("load", () => {
    for (const one of old) one.remove();
    frame.classList.remove("loading");
  }, { once: true });
  copy.submit();
  copy.remove();
}

form.addEventListener("input", debounce(show, 250));
for (const button of document.querySelectorAll("[data-sample]")) {
  button.addEventListener("click", () => {
    look = button.dataset.sample;
    for (const other of document.querySelectorAll("[data-sample]")) other.setAttribute("aria-pressed", String(other === button));
    show();
  });
}
document.querySelector("[data-choose-logo]")?.addEventListener("click", async () => {
  const picture = await pickPicture();
  if (!picture) return;
  form.elements.logo_url.value = picture.url;
  if (!form.elements.logo_alt.value) form.elements.logo_alt.value = picture.alt;
  show();
});
new ResizeObserver(fit).observe(stage);
show();
