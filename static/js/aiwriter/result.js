/** Waits for a small generation (a proposal, one part, a rewrite) and hands over its end. */

import { get } from "pq/http";
import { connect } from "pq/socket";

const POLL_MS = 1200;
const OVER = new Set(["succeeded", "failed", "cancelled", "blocked"]);

/**
 * @param {string} id of the generation
 * @param {{signal?: AbortSignal, onText?: (text: string) => void}} [options] `onText` gets a rewritten text as it grows
 * @returns {Promise<object>} the generation as GET /v1/ai/drafts/<id> has it, whatever its end; rejects when aborted
 */
export function resultOf(id, { signal, onText } = {}) {
  return new Promise((resolve, reject) => {
    let timer = 0;
    let socket = null;
    const stop = () => { clearTimeout(timer); socket?.close(); };
    const end = (generation) => { stop(); resolve(generation); };

    async function poll() {
      clearTimeout(timer);
      try {
        const generation = await get(`/v1/ai/drafts/${id}`, { signal });
        if (OVER.has(generation.status)) return end(generation);
      } catch (error) {
        if (error.name === "AbortError" || error.status === 404) { stop(); reject(error); return; }
      }
      timer = setTimeout(poll, POLL_MS);
    }

    signal?.addEventListener("abort", () => { stop(); reject(signal.reason); }, { once: true });
    socket = connect(() => `/ws/generations/${id}?after=0`, {
      onFrame: (frame) => {
        if (frame.type === "text") onText?.(frame.text);
        if (frame.type === "done") end(frame.generation);
      },
      onState: (state, { attempt = 0 } = {}) => { if (state === "denied" || attempt >= 2) poll(); },
    });
  });
}
