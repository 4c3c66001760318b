/** Writing one part of a draft anew: a menu on each card, and the way back. */

import { element } from "pq/element";
import { get, post } from "pq/http";
import { toast } from "pq/toast";
import { letterOf, markCard, showState, wordsOf } from "pq/aiwriter/card";
import { resultOf } from "pq/aiwriter/result";

const WRITTEN = { heading: "Heading", text: "Text", button: "Button", quote: "Quote" };
const HEADS = [["subject", "Subject"], ["preview_text", "Preview text"]];

/**
 * @param {HTMLElement} root of _generation.html
 * @param {{generationId: string, draftAt: (position: number) => Promise<object|undefined>, cardAt: Function, showStored: Function, say: (words: string) => void, signal: AbortSignal}} options
 */
export function partTools(root, { generationId, draftAt, cardAt, showStored, say, signal }) {
  const address = `/v1/ai/drafts/${generationId}`;

  function fill(menu, draft) {
    const wish = element("input", { className: "input s", maxLength: 300, id: `${menu.id}-wish`, placeholder: "Warmer, and without the date" });
    const entry = (name, label, words) => {
      const button = element("button", { type: "button", className: "menu-item" },
        element("span", { className: "grow" }, label, ...(words ? [element("small", { dir: "auto", textContent: words })] : [])));
      button.addEventListener("click", () => { menu.hidePopover(); rewrite(draft, name, wish.value); });
      return button;
    };
    menu.replaceChildren(
      ...HEADS.map(([name, label]) => entry(name, label, draft[name])),
      ...draft.blocks.filter((block) => WRITTEN[block.type]).map((block) => entry(block.id, WRITTEN[block.type], wordsOf(block))),
      element("hr"),
      element("div", { className: "field part-wish" }, element("label", { htmlFor: wish.id }, "What should be different ", element("span", { className: "optional", textContent: "optional" })), wish));
  }

  async function rewrite(draft, name, wish = "") {
    const card = cardAt(draft.position);
    card.setAttribute("aria-busy", "true");
    showState(card, "rewriting");
    say(`Writing a part of angle ${letterOf(draft.position)} anew…`);
    try {
      const asked = await post(`${address}/regenerate`, { draft: draft.id, part: name, wish: wish.trim() });
      const done = await resultOf(asked.id, { signal });
      if (done.status !== "succeeded") throw new Error(done.error_detail || "The part could not be written.");
      showStored(await get(address));
      say(`Angle ${letterOf(draft.position)} has new words. Undo brings the old ones back.`);
      card.querySelector('[data-act="restore"]')?.focus();
    } catch (error) {
      if (signal.aborted) return;
      markCard(card, await draftAt(draft.position));
      toast(error.message, { tone: "error" });
    } finally {
      card.setAttribute("aria-busy", "false");
    }
  }

  root.addEventListener("beforetoggle", async (event) => {
    const menu = event.target;
    if (!menu.matches?.("[data-part-menu]") || event.newState !== "open") return;
    const draft = await draftAt(Number(menu.closest("[data-angle]").dataset.position));
    if (draft) fill(menu, draft);
  }, { capture: true, signal });
  root.addEventListener("pq:rewrite", async (event) => {
    const draft = await draftAt(Number(event.target.dataset.position));
    const { where } = event.detail;
    const name = where.startsWith("blocks.") ? draft?.blocks[Number(where.split(".")[1])]?.id : where;
    if (draft && name) rewrite(draft, name, `Without “${event.detail.text}”: nothing supports it.`);
  }, { signal });

  return {
    /** Bring back what stood there before the last part was written anew. */
    async restore(draft) {
      try {
        showStored(await post(`${address}/restore`, { draft: draft.id }));
        say("The old words are back.");
        cardAt(draft.position).querySelector("[data-part-open]")?.focus();
      } catch (error) {
        toast(error.message, { tone: "error" });
      }
    },
  };
}
