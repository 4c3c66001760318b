/** The question when somebody else saved the same mail meanwhile: theirs or mine. */

import { element } from "pq/element";

/**
 * @param {{what: string}} options what was changed, as in "this campaign"
 * @returns {Promise<"theirs"|"mine"|"">} "" when the question was put off
 */
export function askWhose({ what }) {
  if (document.getElementById("conflict-h")) return Promise.resolve("");
  const dialog = element("dialog", { className: "dialog" });
  dialog.setAttribute("aria-labelledby", "conflict-h");
  const answer = (value, label, className) => {
    const button = element("button", { type: "button", className, textContent: label });
    button.addEventListener("click", () => dialog.close(value));
    return button;
  };
  dialog.append(
    element("h2", { id: "conflict-h", textContent: `Somebody else changed ${what}` }),
    element("p", { className: "sm mut", textContent: "Your last changes are not saved. Load the newest version, or keep yours and replace theirs. What is replaced stays in the history." }),
    element("div", { className: "row" }, answer("mine", "Keep mine", "btn quiet push"), answer("theirs", "Load theirs", "btn primary")),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => { resolve(dialog.returnValue); dialog.remove(); }, { once: true });
  });
}
