/** Mixing drafts: one subject, one preview text, and blocks in the order that is wanted. All of it works by keyboard. */

import { element, iconButton } from "pq/element";
import { post } from "pq/http";
import { letterOf, plain, wordsOf } from "pq/aiwriter/card";

const KINDS = { heading: "Heading", text: "Text", button: "Button", quote: "Quote", divider: "Divider", product: "Product", image: "Picture" };
let serial = 0;

const badge = (draft) => element("span", { className: "badge", textContent: letterOf(draft.position) });
const nameOf = (block) => [KINDS[block.type] ?? block.type, wordsOf(block)].filter(Boolean).join(": ");

/** One line of several, as radio buttons. */
function choice(legend, name, drafts, first) {
  const options = drafts.filter((draft) => draft[name]).map((draft) => {
    const input = element("input", { type: "radio", name, value: draft.id, checked: draft === first });
    return element("label", { className: "mix-option" }, input, badge(draft), element("span", { dir: "auto", textContent: plain(draft[name]) }));
  });
  return element("fieldset", { className: "mix-set" }, element("legend", { textContent: legend }), ...options);
}

/**
 * @param {{drafts: object[], first: object, generationId: string, onMixed: (generation: object) => void}} options
 *   `first` is the draft that the mix starts from
 */
export function mixDialog({ drafts, first, generationId, onMixed }) {
  const id = `mix-${++serial}`;
  const stored = drafts.filter((draft) => draft.id).sort((one, other) => one.position - other.position);
  const start = stored.find((draft) => draft.id === first.id) ?? stored[0];
  let chosen = start.blocks.map((block) => ({ draft: start, block }));

  const body = element("ol", { className: "mix-body" });
  body.setAttribute("aria-label", "The body of the mix");
  const pool = element("div", { className: "mix-pool" });
  const failure = element("p", { className: "err sm c-complaint", hidden: true });
  failure.setAttribute("role", "alert");
  const said = element("p", { className: "vh" });
  said.setAttribute("role", "status");
  const make = element("button", { type: "submit", className: "btn primary", textContent: "Make this mix" });

  function move(index, by) {
    const [moved] = chosen.splice(index, 1);
    chosen.splice(index + by, 0, moved);
    draw();
    const row = body.children[index + by];
    (row.querySelector(by < 0 ? "[data-up]" : "[data-down]:not(:disabled)") ?? row.querySelector("button:not(:disabled)"))?.focus();
    said.textContent = `Moved to place ${index + by + 1}.`;
  }

  function drop(index) {
    chosen.splice(index, 1);
    draw();
    (body.children[Math.min(index, chosen.length - 1)]?.querySelector("[data-drop]") ?? pool.querySelector("button"))?.focus();
    said.textContent = "Taken out.";
  }

  function row({ draft, block }, index) {
    const words = nameOf(block);
    const up = iconButton("arrow-up", `Move up: ${words}`, () => move(index, -1), "btn quiet s icon");
    const down = iconButton("arrow-down", `Move down: ${words}`, () => move(index, 1), "btn quiet s icon");
    const out = iconButton("close", `Take out: ${words}`, () => drop(index), "btn quiet s icon");
    up.dataset.up = down.dataset.down = out.dataset.drop = "yes";
    up.disabled = index === 0;
    down.disabled = index === chosen.length - 1;
    return element("li", {}, badge(draft), element("span", { className: "grow", dir: "auto", textContent: words }), up, down, out);
  }

  function draw() {
    body.replaceChildren(...chosen.map(row));
    make.disabled = chosen.length === 0;
    pool.replaceChildren(...stored.map((draft) => {
      const buttons = draft.blocks.map((block) => {
        const isIn = chosen.some((each) => each.draft.id === draft.id && each.block.id === block.id);
        const button = element("button", { type: "button", className: "chip", disabled: isIn, dir: "auto", textContent: `+ ${nameOf(block)}` });
        button.addEventListener("click", () => {
          chosen = [...chosen, { draft, block }];
          draw();
          said.textContent = `Added at the end: ${nameOf(block)}.`;
          body.lastElementChild.querySelector("[data-up]:not(:disabled), [data-drop]").focus();
        });
        return button;
      });
      return element("div", { className: "mix-from" }, badge(draft), element("span", { className: "row" }, ...buttons));
    }));
  }

  const cancel = element("button", { type: "button", className: "btn quiet push", textContent: "Cancel" });
  const form = element("form", { className: "stack", method: "dialog" },
    choice("Subject", "subject", stored, start),
    choice("Preview text", "preview_text", stored, start),
    element("div", { className: "mix-set" }, element("h3", { textContent: "Body" }), body, element("p", { className: "xs dim", textContent: "Add from" }), pool),
    failure, said, element("div", { className: "row" }, cancel, make));
  const dialog = element("dialog", { className: "dialog wide" }, element("h2", { id: `${id}-h`, textContent: "Mix a draft" }), form);
  dialog.setAttribute("aria-labelledby", `${id}-h`);
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const picked = new FormData(form);
    make.disabled = true;
    try {
      const generation = await post(`/v1/ai/drafts/${generationId}/mix`, {
        subject: picked.get("subject"),
        preview_text: picked.get("preview_text") ?? picked.get("subject"),
        blocks: chosen.map(({ draft, block }) => ({ draft: draft.id, block: block.id })),
      });
      dialog.close();
      onMixed(generation);
    } catch (error) {
      make.disabled = false;
      failure.hidden = false;
      failure.textContent = error.problem?.errors?.[0]?.detail ?? error.message;
    }
  });
  draw();
  document.body.append(dialog);
  dialog.showModal();
  form.querySelector("input:checked")?.focus();
}
