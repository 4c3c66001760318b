/** Short messages at the foot of the page; with `undo` they replace a "Are you sure?". */

import { icon } from "pq/icon";

const SECONDS = 8;

/** Remove `element` after a while, unless someone is reading it; returns a function that calls this off for good. */
function dismissLater(element, seconds, done) {
  const off = new AbortController();
  let timer;
  const hold = () => clearTimeout(timer);
  const start = () => {
    hold();
    timer = setTimeout(() => { off.abort(); element.remove(); done?.(); }, seconds * 1000);
  };
  for (const name of ["pointerenter", "focusin"]) element.addEventListener(name, hold, { signal: off.signal });
  // Also fired when a focused element is removed, hence the signal.
  for (const name of ["pointerleave", "focusout"]) element.addEventListener(name, start, { signal: off.signal });
  start();
  return () => { off.abort(); hold(); };
}

function button(label, className, onClick) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `btn s ${className}`;
  made.addEventListener("click", onClick);
  if (className === "icon") {
    made.setAttribute("aria-label", label);
    made.append(icon("close", "s"));
  } else made.textContent = label;
  return made;
}

/**
 * Show a message for eight seconds; errors stay until dismissed.
 *
 * @param {string} text
 * @param {{undo?: () => (void|Promise<void>), tone?: "success"|"error"|"info", seconds?: number, onGone?: () => void}} [options]
 *   `undo` adds an Undo button; `onGone` runs when the message left without undo (do the irreversible part there).
 * @returns {HTMLElement} the toast
 */
export function toast(text, { undo, tone = "success", seconds = SECONDS, onGone } = {}) {
  const element = document.createElement("div");
  element.className = `toast ${tone}`;
  element.dataset.toast = "";
  const words = document.createElement("span");
  words.textContent = text;
  element.append(icon(tone === "error" ? "warn" : "check", "s"), words);
  let callOff = () => {};
  if (undo) {
    element.append(button("Undo", "undo", async () => {
      callOff();
      element.remove();
      await undo();
    }));
  }
  element.append(button("Dismiss", "icon", () => { callOff(); element.remove(); onGone?.(); }));
  region().append(element);
  if (tone !== "error") callOff = dismissLater(element, seconds, onGone);
  return element;
}

function region() {
  let place = document.getElementById("toasts");
  if (!place) {
    place = document.createElement("div");
    place.id = "toasts";
    place.className = "toasts";
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", "Notices");
    place.setAttribute("aria-live", "polite");
    document.body.append(place);
  }
  // In the top layer, or an open dialog would cover it.
  if (place.popover === null) place.popover = "manual";
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
  return place;
}

/** Give the messages that the server rendered their timers and buttons. */
export function adoptServerToasts() {
  for (const element of document.querySelectorAll("#toasts > [data-toast]")) {
    const callOff = element.matches(".error, .warning") ? () => {} : dismissLater(element, SECONDS);
    element.querySelector("[data-dismiss]")?.addEventListener("click", () => { callOff(); element.remove(); });
  }
}
