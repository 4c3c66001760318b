/** The composer page: brings brief, angles, editor and preview together. */

import { agentDesk } from "pq/aiwriter/desk";
import { watchGeneration } from "pq/aiwriter/drafts";
import { confirm } from "pq/dialog";
import { post } from "pq/http";
import { toast } from "pq/toast";
import { briefCard } from "pq/campaigns/brief";
import { claimsBadge } from "pq/campaigns/claims_badge";
import { mailEditor } from "pq/campaigns/mail_editor";
import { previewPanel } from "pq/campaigns/preview";

const data = JSON.parse(document.getElementById("composer-data").textContent);
const one = (selector) => document.querySelector(selector);

const preview = previewPanel(one("#preview"), {
  url: data.urls.preview,
  contactsUrl: data.urls.contacts,
  sample: data.sample,
  fields: { variant: data.label },
  onProblem: (problem) => editor.showProblem(problem),
});
const editor = mailEditor(one("#mail"), {
  content: data.content,
  canEdit: data.canEdit,
  tags: data.tags,
  networks: data.networks,
  what: "this campaign",
  writer: { campaign: data.campaign, url: data.urls.api, hasModel: data.hasModel },
  urls: data.urls,
  revision: data.revision,
  payload: ({ subject, preview_text, format, body }) => ({ variants: [{ label: data.label, subject, preview_text, format, body }] }),
  revisionOf: (campaign) => campaign.revision,
  contentOf: (campaign) => {
    const { subject, preview_text, format, body } = campaign.variants.find((variant) => variant.label === data.label);
    return { subject, preview_text, format, body };
  },
  onContent: (content) => preview.show(content),
  onSaved: () => claims.refresh(),
});
const { saver, say } = editor;
const claims = claimsBadge(one("[data-claims]"), data.urls.claims);
claims.refresh();

// --- the writer --------------------------------------------------------------------------------------------------
const desk = agentDesk(one("[data-desk-card]"));
const host = one("[data-generation-host] [data-generation]");
let watch = null;

/** What people decided about a draft is not part of the stream, which only says how it was written. */
function markDecided(position) {
  if (data.decided[position]) watch?.mark(position, data.decided[position]);
}

function follow(generation, { isOver = false } = {}) {
  watch?.close();
  one("[data-angles-section]").hidden = false;
  for (const button of document.querySelectorAll("#brief [data-write]")) button.hidden = true;
  desk.begin();
  watch = watchGeneration(host, generation, {
    isOver,
    count: 3,
    facts: data.brief.facts,
    onStage: (frame) => desk.stage(frame),
    onDraft: (draft) => markDecided(draft.position),
    onDone: (frame) => {
      for (const position of Object.keys(data.decided)) markDecided(Number(position));
      desk.end(frame.status, frame.generation);
      if (frame.status === "succeeded" && !isOver) say("The angles are ready.");
    },
  });
  if (!isOver) host.querySelector('[data-act="cancel"]').focus({ preventScroll: true });
}

async function adopt(draft, { override = false } = {}) {
  if (!(await saver.flush())) return;
  try {
    const campaign = await post(data.urls.adopt, { draft: draft.id, variant: data.label, override }, { headers: { "If-Match": `"${saver.revision}"` } });
    editor.adopt(campaign, `Adopted · version ${campaign.revision}`);
    data.decided[draft.position] = "accepted";
    markDecided(draft.position);
    one("#mail").scrollIntoView({ behavior: "smooth", block: "start" });
    one("#h-edit").focus({ preventScroll: true });
    claims.refresh();
  } catch (error) {
    if (error.status === 422 && !override) {
      const isSure = await confirm({ title: "Adopt it although a check failed?", text: `${error.message} You answer for it by name; that is recorded.`, action: "Adopt it" });
      if (isSure) await adopt(draft, { override: true });
      return;
    }
    toast(error.message, { tone: "error" });
  }
}

host.addEventListener("pq:adopt", (event) => adopt(event.detail));
host.addEventListener("pq:reject", async (event) => {
  try {
    await post(`/v1/ai/drafts/${event.detail.generation ?? data.generation}/reject`, { draft: event.detail.id });
    data.decided[event.detail.position] = "rejected";
    markDecided(event.detail.position);
  } catch (error) {
    toast(error.message, { tone: "error" });
  }
});

const brief = briefCard(one("#brief"), {
  brief: data.brief,
  urls: data.urls,
  beforeWrite: () => saver.flush(),
  onRevision: (revision) => saver.moveTo(revision),
  onWriting: (generation) => { data.generation = generation; data.decided = {}; follow(generation); },
});
host.addEventListener("pq:fact", (event) => brief.addFact(event.detail));
if (data.generation) follow(data.generation, { isOver: data.isWritten });
else if (data.canEdit && new URLSearchParams(location.search).has("write")) {
  history.replaceState(null, "", location.pathname);
  brief.write();
}

// --- write or preview, on phones ---------------------------------------------------------------------------------
const panes = document.querySelectorAll("[data-pane]");
addEventListener("hashchange", () => {
  for (const pane of panes) {
    if (pane.hash === (location.hash === "#preview" ? "#preview" : "#mail")) pane.setAttribute("aria-current", "true");
    else pane.removeAttribute("aria-current");
  }
  preview.fit();
});
