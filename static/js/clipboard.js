/** `data-copy="text"` on a button copies that text and says so. */

import { toast } from "pq/toast";

export function startClipboard() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      toast("Copied");
    } catch {
      toast("The browser did not allow copying. Select the text and copy it by hand.", { tone: "error" });
    }
  });
}
