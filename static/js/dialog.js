/**
 * Dialogs on the platform's own <dialog>.
 *
 * In templates: `data-open="<id>"` on a button opens a dialog, `data-close` inside closes it, and `data-confirm="…"`
 * on a form or its button asks first (`data-confirm-title`, `data-confirm-action`, `data-confirm-typed`).
 */

let serial = 0;

/**
 * Ask before something that cannot be undone.
 *
 * @param {{title: string, text?: string, action?: string, danger?: boolean, typed?: string}} question
 *   `typed`: the exact words the person must type before the action becomes possible.
 * @returns {Promise<boolean>} true when confirmed
 */
export function confirm({ title, text = "", action = "Continue", danger = false, typed = "" }) {
  const id = `confirm-${++serial}`;
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", `${id}-h`);
  const heading = Object.assign(document.createElement("h2"), { id: `${id}-h`, textContent: title });
  dialog.append(heading);
  if (text) dialog.append(Object.assign(document.createElement("p"), { className: "sm mut", textContent: text }));

  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "stack";
  const go = Object.assign(document.createElement("button"), { className: danger ? "btn danger" : "btn primary", value: "yes", textContent: action });
  const cancel = Object.assign(document.createElement("button"), { className: "btn quiet push", type: "button", textContent: "Cancel" });
  cancel.addEventListener("click", () => dialog.close("no"));
  let input;
  if (typed) {
    const field = Object.assign(document.createElement("div"), { className: "field" });
    const label = Object.assign(document.createElement("label"), { htmlFor: `${id}-typed`, textContent: `Type ${typed} to confirm` });
    input = Object.assign(document.createElement("input"), { className: "input", id: `${id}-typed`, autocomplete: "off", spellcheck: false });
    go.disabled = true;
    input.addEventListener("input", () => { go.disabled = input.value.trim() !== typed; });
    field.append(label, input);
    form.append(field);
  }
  const row = Object.assign(document.createElement("div"), { className: "row" });
  row.append(cancel, go);
  form.append(row);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  (input ?? (danger ? cancel : go)).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    }, { once: true });
  });
}

function questionOf(element) {
  const { confirm: text, confirmTitle, confirmAction, confirmTyped } = element.dataset;
  return {
    title: confirmTitle ?? text,
    text: confirmTitle ? text : "",
    action: confirmAction ?? element.textContent.trim().slice(0, 40) ?? "Continue",
    danger: element.matches(".danger, [data-confirm-danger]"),
    typed: confirmTyped ?? "",
  };
}

/** Wire `data-open`, `data-close`, `data-confirm` and htmx's `hx-confirm`. */
export function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open)?.showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    // A click on the backdrop is a click on the dialog itself, outside its box.
    if (event.target instanceof HTMLDialogElement && event.target.hasAttribute("data-light-dismiss")) event.target.close();
  });

  const agreed = new WeakSet();
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const asking = event.submitter?.hasAttribute("data-confirm") ? event.submitter : form.hasAttribute("data-confirm") ? form : null;
    if (!asking || agreed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const action = asking === form ? { action: event.submitter?.textContent.trim() } : {};
    const question = { ...questionOf(asking), ...(asking.dataset.confirmAction ? {} : action) };
    if (!(await confirm(question))) return;
    agreed.add(form);
    form.requestSubmit(event.submitter ?? undefined);
  }, true);

  document.addEventListener("htmx:confirm", async (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    const { elt, question, issueRequest } = event.detail;
    if (await confirm({ ...questionOf(elt), title: question })) issueRequest(true);
  });
}
