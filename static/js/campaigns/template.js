/** The page of one template: the composer's editor and preview, saving into the template. */

import { mailEditor } from "pq/campaigns/mail_editor";
import { previewPanel } from "pq/campaigns/preview";
import { toast } from "pq/toast";

const data = JSON.parse(document.getElementById("template-data").textContent);
const one = (selector) => document.querySelector(selector);

const preview = previewPanel(one("#preview"), {
  url: data.urls.preview,
  contactsUrl: data.urls.contacts,
  sample: null,
  onProblem: (problem) => editor.showProblem(problem),
});
const editor = mailEditor(one("#mail"), {
  content: data.content,
  canEdit: data.canEdit,
  tags: data.tags,
  networks: data.networks,
  what: "this template",
  writer: { url: data.urls.api, hasModel: data.hasModel },
  urls: data.urls,
  revision: data.revision,
  payload: ({ subject, preview_text, format, body }) => ({ subject, preview_text, format, body }),
  revisionOf: (template) => template.revision,
  onContent: (content) => preview.show(content),
});

// A campaign starts from what is saved.
one("[data-use]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await editor.saver.flush()) event.target.submit();
  else toast("Your last changes are not saved. Mend them first.", { tone: "error" });
});

// --- write or preview, on phones ---------------------------------------------------------------------------------
const panes = document.querySelectorAll("[data-pane]");
addEventListener("hashchange", () => {
  for (const pane of panes) {
    if (pane.hash === (location.hash === "#preview" ? "#preview" : "#mail")) pane.setAttribute("aria-current", "true");
    else pane.removeAttribute("aria-current");
  }
  preview.fit();
});
