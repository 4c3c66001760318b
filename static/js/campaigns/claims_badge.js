/** How many statements of the mail have a receipt, and how many nobody answers for; leads to the page of receipts. */

import { get } from "pq/http";
import { icon } from "pq/icon";

const QUIET_MS = 1500;

/**
 * @param {HTMLAnchorElement} badge
 * @param {string} url of the campaign's claims
 */
export function claimsBadge(badge, url) {
  let timer = 0;

  async function load() {
    try {
      const { receipts } = await get(url);
      const open = receipts.filter((receipt) => receipt.must_be_accepted).length;
      badge.hidden = receipts.length === 0;
      badge.className = open ? "chip warn" : "chip ok";
      const words = open ? `${open} claim${open === 1 ? "" : "s"} open` : `${receipts.length} receipt${receipts.length === 1 ? "" : "s"}`;
      badge.replaceChildren(icon(open ? "warn" : "check", "s"), words);
    } catch {
      // The badge is a convenience: the review asks again before anything is sent.
    }
  }

  return {
    /** Ask again a moment after the last of several saves. */
    refresh() {
      clearTimeout(timer);
      timer = setTimeout(load, QUIET_MS);
    },
  };
}
