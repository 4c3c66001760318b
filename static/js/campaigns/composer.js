/** The composer page: brings brief, angles, block editor, autosave and preview together. */

import { watchGeneration } from "pq/aiwriter/drafts";
import { confirm } from "pq/dialog";
import { post } from "pq/http";
import { toast } from "pq/toast";
import { autosave } from "pq/campaigns/autosave";
import { KINDS } from "pq/campaigns/blocks";
import { briefCard } from "pq/campaigns/brief";
import { blockCanvas } from "pq/campaigns/canvas";
import { agentDesk } from "pq/campaigns/desk";
import { MailDocument } from "pq/campaigns/document";
import { pickMenu } from "pq/campaigns/pick_menu";
import { previewPanel } from "pq/campaigns/preview";

const data = JSON.parse(document.getElementById("composer-data").textContent);
const one = (selector) => document.querySelector(selector);
const mail = new MailDocument(data.content);
const isBlocks = data.format === "blocks";

// --- what it says about itself -----------------------------------------------------------------------------------
const saved = one("[data-saved]");
const announcer = Object.assign(document.createElement("span"), { className: "vh" });
announcer.setAttribute("role", "status");
document.body.append(announcer);
const say = (words) => { announcer.textContent = words; };

function showState(state, words) {
  one("[data-saved-text]").textContent = words;
  saved.dataset.state = state;
}

// --- preview, saving ---------------------------------------------------------------------------------------------
const preview = previewPanel(one("#preview"), data);
const saver = autosave(mail, {
  url: data.urls.api,
  label: data.label,
  revision: data.revision,
  onState: showState,
  onSaved: (revision) => preview.refresh(revision),
  onConflict: () => { one("[data-conflict]").hidden = false; one("[data-conflict]").scrollIntoView({ block: "center" }); },
});
preview.refresh(data.revision);

one("[data-reload]").addEventListener("click", () => { saver.forget(); location.reload(); });
one("[data-keep-mine]").addEventListener("click", async () => {
  await saver.overwrite();
  one("[data-conflict]").hidden = true;
});
for (const link of document.querySelectorAll("[data-leave]")) {
  link.addEventListener("click", async (event) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    if (await saver.flush()) location.assign(link.href);
    else toast("Your last changes are not saved. Mend them first.", { tone: "error" });
  });
}

// --- subject, preheader, source ----------------------------------------------------------------------------------
const inputs = [...document.querySelectorAll("[data-field]")];

function count(input) {
  const place = one(`[data-count="${input.dataset.field}"]`);
  if (!place) return;
  const limit = Number(place.dataset.limit);
  place.textContent = `${input.value.length} / ${limit}`;
  place.classList.toggle("c-bounce", input.value.length > limit);
}

for (const input of inputs) {
  count(input);
  input.addEventListener("input", () => {
    count(input);
    mail.change(input.dataset.field, (content) => { content[input.dataset.field] = input.value; });
  });
}

// --- blocks ------------------------------------------------------------------------------------------------------
const pickTag = pickMenu(one("#tags-menu"), data.tags.map((tag) => ({
  label: tag.label,
  hint: `{{${tag.name}}}${tag.fallback ? ` else “${tag.fallback}”` : ""}`,
  icon: "tag",
  value: tag.name,
})));
const kinds = Object.entries(KINDS).map(([type, kind]) => ({ label: kind.label, icon: kind.icon, value: type }));
const pickAnyKind = pickMenu(one("#blocks-menu"), kinds);
async function pickKind(button, isNested) {
  const type = await pickAnyKind(button);
  if (isNested && type === "columns") {
    toast("Columns cannot stand inside columns.", { tone: "info" });
    return undefined;
  }
  return type;
}

const canvas = isBlocks
  ? blockCanvas(one("[data-canvas]"), mail, { editorUrl: data.urls.editor, canEdit: data.canEdit, tags: data.tags, networks: data.networks, pickTag, pickKind, say })
  : null;
canvas?.render();
one("[data-add-end]")?.addEventListener("click", (event) => canvas.addAtEnd(event.currentTarget));

// --- changes, undo, redo -----------------------------------------------------------------------------------------
const undo = one("[data-undo]");
const redo = one("[data-redo]");

function showContent(isStructural) {
  for (const input of inputs) {
    const value = mail.content[input.dataset.field];
    if (typeof value === "string" && input.value !== value) {
      input.value = value;
      count(input);
    }
  }
  if (isStructural) canvas?.render({ focus: true });
  if (undo) undo.disabled = !mail.canUndo;
  if (redo) redo.disabled = !mail.canRedo;
}

mail.addEventListener("changed", (event) => { showContent(event.detail.isStructural); saver.touched(); });
mail.addEventListener("adopted", () => showContent(true));
undo?.addEventListener("click", () => mail.undo());
redo?.addEventListener("click", () => mail.redo());
document.addEventListener("keydown", (event) => {
  if (!data.canEdit || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
  if (!event.target.closest("#mail") && event.target !== document.body) return;
  event.preventDefault();
  if (event.shiftKey) mail.redo();
  else mail.undo();
}, true);

// --- the writer --------------------------------------------------------------------------------------------------
const desk = agentDesk(one("[data-desk-card]"));
const host = one("[data-generation-host] [data-generation]");
let watch = null;

/** What people decided about a draft is not part of the stream, which only says how it was written. */
function markDecided(position) {
  if (data.decided[position]) watch?.mark(position, data.decided[position]);
}

function follow(generation) {
  watch?.close();
  one("[data-angles-section]").hidden = false;
  for (const button of document.querySelectorAll("#brief [data-write]")) button.hidden = true;
  desk.begin();
  watch = watchGeneration(host, generation, {
    onStage: (frame) => desk.stage(frame),
    onDraft: (draft) => markDecided(draft.position),
    onDone: (frame) => {
      for (const position of Object.keys(data.decided)) markDecided(Number(position));
      desk.end(frame.status, frame.generation);
      if (frame.status === "succeeded") say("The angles are ready.");
    },
  });
}

async function adopt(draft, { override = false } = {}) {
  if (!(await saver.flush())) return;
  try {
    const campaign = await post(data.urls.adopt, { draft: draft.id, variant: data.label, override }, { headers: { "If-Match": `"${saver.revision}"` } });
    const variant = campaign.variants.find((candidate) => candidate.label === data.label);
    saver.moveTo(campaign.revision);
    if (!isBlocks) { saver.forget(); location.reload(); return; }
    mail.adopt({ subject: variant.subject, preview_text: variant.preview_text, body: variant.body });
    data.decided[draft.position] = "accepted";
    markDecided(draft.position);
    showState("saved", `Adopted · version ${campaign.revision}`);
    preview.refresh(campaign.revision);
    one("#mail").scrollIntoView({ behavior: "smooth", block: "start" });
  } catch (error) {
    if (error.status === 422 && !override) {
      const isSure = await confirm({ title: "Adopt it although a check failed?", text: error.message, action: "Adopt it" });
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
if (data.generation) follow(data.generation);
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
  preview.show(one("[data-view][aria-pressed=true]").dataset.view);
});
