/** Turning a body into another format, with a question first where something would be lost. */

import { confirm } from "pq/dialog";
import { post } from "pq/http";
import { toast } from "pq/toast";

const NAMES = { blocks: "blocks", html: "HTML", markdown: "Markdown", mjml: "MJML" };

/**
 * @param {string} url
 * @param {{subject: string, preview_text: string, format: string, body: object[]|string}} content
 * @param {string} format
 * @returns {Promise<object[]|string|null>} the new body; null when it was not wanted or not possible
 */
export async function convertBody(url, content, format) {
  try {
    const { body, losses } = await post(url, { ...content, to: format });
    if (losses.length === 0) return body;
    const text = `${losses.join(" ")} Undo brings the ${NAMES[content.format]} back.`;
    return (await confirm({ title: `Turn this into ${NAMES[format]}?`, text, action: `Turn into ${NAMES[format]}` })) ? body : null;
  } catch (error) {
    toast(error.problem?.errors?.[0]?.detail ?? error.message, { tone: "error" });
    return null;
  }
}
