/** Subject and preview text: one line each, with merge tags as chips, and how much of the room they take. */

import { chipWords, splitTags } from "pq/campaigns/merge_tags";

/** How long a line is when it is read: tags count as the words that stand for them. */
function readLength(text, directory) {
  return splitTags(text).reduce((sum, part) => {
    if (typeof part === "string") return sum + part.length;
    const words = chipWords(part, directory);
    return sum + (part.fallback || words.main).length + part.before.length + part.after.length;
  }, 0);
}

/**
 * @param {HTMLElement} root
 * @param {import("pq/campaigns/document").MailDocument} mail
 * @param {{editors: object, directory: object}} options
 */
export function subjectLines(root, mail, { editors, directory }) {
  const lines = [...root.querySelectorAll("[data-line]")].map((host) => {
    const name = host.dataset.line;
    const count = root.querySelector(`[data-count="${name}"]`);
    const limit = Number(count.dataset.limit);
    const label = root.querySelector(`[data-line-label="${name}"]`);
    const state = {};
    const measure = () => {
      const length = readLength(mail.content[name], directory);
      count.textContent = `${length} / ${limit}`;
      count.classList.toggle("c-bounce", length > limit);
      host.classList.toggle("is-empty", mail.content[name] === "");
    };
    label.addEventListener("click", () => state.editor?.commands.focus("end"));
    editors.line(host, state, {
      text: mail.content[name],
      label: label.textContent,
      attributes: { id: name, class: "line", "aria-labelledby": label.id, spellcheck: "true" },
      onChange: (text) => mail.change(name, (content) => { content[name] = text; }),
    });
    root.querySelector(`[data-line-tag="${name}"]`)?.addEventListener("click", (event) => editors.insertTag(host, event.currentTarget));
    measure();
    return { name, state, measure };
  });

  return {
    /** Show what the document says now. */
    refresh() {
      for (const line of lines) {
        line.state.show?.(mail.content[line.name]);
        line.measure();
      }
    },
  };
}
