/** Asking the AI writer for something small, and waiting for it. */

import { resultOf } from "pq/aiwriter/result";
import { post } from "pq/http";

const WORDS = { cancelled: "Stopped.", blocked: "The AI budget is used up. Nothing was changed.", failed: "The writer could not finish. Nothing was changed." };

/** Why there is no answer: `code` as `/v1` names it, and a sentence to show. */
export class WriterError extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

/**
 * Ask, wait, and return the finished generation; what was asked for stands in its `result`.
 *
 * @param {string} path below `/v1/ai/`, such as "rewrite"
 * @param {object} fields
 * @param {{signal?: AbortSignal, onText?: (text: string) => void}} [options] aborting also stops the writer; `onText`
 *   gets the text as it grows
 * @throws {import("pq/http").RequestError} the request was refused
 * @throws {WriterError} it was taken, and came to nothing
 */
export async function askWriter(path, fields, { signal, onText } = {}) {
  // Not aborted on its way: whether the server took it would be unknown, and the writer would go on unseen.
  const asked = await post(`/v1/ai/${path}`, fields);
  const halt = () => post(`/v1/ai/drafts/${asked.id}/cancel`, {}).catch(() => {}); // it may have ended just now
  if (signal?.aborted) {
    halt();
    throw signal.reason;
  }
  signal?.addEventListener("abort", halt, { once: true });
  const generation = await resultOf(asked.id, { signal, onText });
  signal?.removeEventListener("abort", halt);
  if (generation.status === "succeeded") return generation;
  throw new WriterError(generation.error_code || generation.status, generation.error_detail || WORDS[generation.status]);
}

/** Who wrote an answer, in a few words. */
export const writtenBy = (generation) => (generation.ai_generated ? `Written by ${generation.model}` : "By rules, no AI model was used");
