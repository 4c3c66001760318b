/**
 * Small manners of forms.
 *
 * `data-autosubmit` on a form sends it when a control changes (typing: after a pause). `data-busy` text replaces the
 * button's while the form is on its way. Every form is sent once, however often its button is pressed.
 */

/** Call `run` once things have been quiet for `wait` milliseconds. */
export function debounce(run, wait = 250) {
  let timer;
  const later = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...values), wait);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

export function startForms() {
  const sendSoon = debounce((form) => form.requestSubmit(), 350);
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.hasAttribute("data-autosubmit") && event.target.matches("[type=search], [type=text], [type=email]")) sendSoon(form);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.hasAttribute("data-autosubmit") && !event.target.matches("[type=search], [type=text], [type=email]")) form.requestSubmit();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog" || form.method === "get") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    const button = event.submitter;
    button?.setAttribute("aria-disabled", "true");
    if (button?.dataset.busy) button.textContent = button.dataset.busy;
  });
  // Back from the browser's cache, or answered by htmx in place: the form may be sent again.
  const release = (form) => {
    delete form.dataset?.sent;
    for (const button of form.querySelectorAll?.("[aria-disabled=true][type=submit], button[aria-disabled=true]:not([type])") ?? []) button.removeAttribute("aria-disabled");
  };
  addEventListener("pageshow", (event) => { if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release); });
  document.addEventListener("htmx:afterRequest", (event) => release(event.detail.elt.closest?.("form") ?? event.detail.elt));
}
