/**
 * A WebSocket that stays: reconnects with jitter, notices silence and missed frames, and says how it is doing.
 *
 * Frames are JSON objects. Those with a number `seq` count up by one. Whoever missed some must fetch a fresh snapshot:
 * `onGap` says so when a number is skipped, when the heartbeat (`{"type": "ping", "seq": <last sent>}`, never handed on)
 * knows a later one, and when a lost line is open again.
 */

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
/** Three heartbeats of 15 s missed: the line is dead although nobody closed it. */
const SILENCE = 45_000;
/** Close codes that trying again cannot cure: signed out, not allowed, not there. */
const FINAL_CODES = new Set([4401, 4403, 4404]);

/** Milliseconds before try number `attempt` (0, 1, …): doubling, never above 15 s, half of it random. */
export const reconnectDelay = (attempt, random = Math.random) => {
  const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);
  return longest / 2 + (longest / 2) * random();
};

/**
 * @param {string | (() => string)} path such as "/ws/workspace"; a function is asked again at every reconnect
 * @param {object} handlers
 * @param {(frame: object) => void} handlers.onFrame every frame but heartbeats
 * @param {(expected: number, got: number | null) => void} [handlers.onGap] frames were missed; `got` is null after a
 *   reconnect, when nobody knows how many
 * @param {(state: "connecting"|"open"|"reconnecting"|"offline"|"closed"|"denied", detail: object) => void} [handlers.onState]
 * @param {number} [handlers.silence] milliseconds without a frame before the line counts as dead
 * @returns {{close: () => void, send: (data: object) => void, readonly state: string}}
 */
export function connect(path, { onFrame, onGap, onState, silence = SILENCE }) {
  let socket;
  let state = "";
  let attempt = 0;
  let last = null;
  let retry;
  let watchdog;
  let isClosed = false;

  const become = (next, detail = {}) => {
    if (next === state && next !== "reconnecting") return;
    state = next;
    onState?.(next, detail);
  };

  const watch = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => lost(socket), silence);
  };

  function open() {
    clearTimeout(retry);
    if (isClosed) return;
    become(attempt ? "reconnecting" : "connecting", { attempt });
    const url = new URL(typeof path === "function" ? path() : path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const mine = new WebSocket(url);
    socket = mine;
    watch();
    mine.onopen = () => {
      if (mine !== socket) return;
      attempt = 0;
      become("open");
      watch();
      if (last !== null) onGap?.(last + 1, null);
      last = null;
    };
    mine.onmessage = (event) => {
      if (mine !== socket) return;
      watch();
      receive(JSON.parse(event.data));
    };
    mine.onclose = (event) => {
      if (mine !== socket || isClosed) return;
      if (FINAL_CODES.has(event.code)) return finish("denied", { code: event.code });
      lost(mine);
    };
  }

  function receive(frame) {
    const isPing = frame.type === "ping";
    if (typeof frame.seq === "number") {
      const expected = (last ?? frame.seq) + (isPing ? 0 : 1);
      if (last !== null && frame.seq > expected) onGap?.(last + 1, frame.seq);
      last = Math.max(last ?? 0, frame.seq);
    }
    if (!isPing) onFrame(frame);
  }

  /** The line is gone: drop what is left of it and try again later. */
  function lost(from) {
    if (from !== socket || isClosed) return;
    clearTimeout(watchdog);
    socket = undefined;
    from?.close();
    const wait = reconnectDelay(attempt);
    attempt += 1;
    become(navigator.onLine === false ? "offline" : "reconnecting", { attempt, wait });
    retry = setTimeout(open, wait);
  }

  function finish(final, detail) {
    isClosed = true;
    clearTimeout(retry);
    clearTimeout(watchdog);
    removeEventListener("online", hurry);
    document.removeEventListener("visibilitychange", hurry);
    const left = socket;
    socket = undefined;
    left?.close();
    become(final, detail);
  }

  /** Back online, or the tab is looked at again: no reason to wait for the timer. */
  function hurry() {
    if (!socket && !isClosed && document.visibilityState === "visible") open();
  }

  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  open();

  return {
    close: () => { if (!isClosed) finish("closed", {}); },
    send: (data) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(data)); },
    get state() { return state; },
  };
}

const STATE_LOOKS = {
  connecting: ["line", "Connecting"],
  open: ["line ok-line", "Connected"],
  reconnecting: ["warn", "Reconnecting"],
  offline: ["warn", "Offline"],
  closed: ["", "Not live"],
  denied: ["bad", "No access"],
};

/**
 * Show the state of a socket in a chip: `onState: showState(document.querySelector("[data-socket-state]"))`.
 *
 * @param {HTMLElement | null} chip
 */
export const showState = (chip) => (state) => {
  if (!chip) return;
  const [tone, text] = STATE_LOOKS[state];
  chip.className = `chip ${tone}`;
  chip.dataset.state = state;
  chip.textContent = text;
};
