// k6: many people watch one campaign's live page while readers open its mails. Every socket gets its snapshot and frames,
// and each frame is there soon after it was made. Run by `make load` (tests/load/__main__.py), which names the campaign,
// the key to watch with and the tracking addresses; BASE_URL, WATCHERS, SECONDS and EVENTS_A_SECOND come from there too.
import http from "k6/http";
import ws from "k6/ws";
import { check } from "k6";
import { SharedArray } from "k6/data";
import { Counter, Trend } from "k6/metrics";

const base = __ENV.BASE_URL;
const seconds = Number(__ENV.SECONDS || 20);
const pixels = new SharedArray("pixels", () => JSON.parse(open(__ENV.PIXELS)));
const delay = new Trend("frame_delay", true);
const frames = new Counter("frames");

export const options = {
  scenarios: {
    watchers: {
      executor: "per-vu-iterations", vus: Number(__ENV.WATCHERS || 500), iterations: 1, exec: "watch",
      maxDuration: `${seconds + 60}s`,
    },
    readers: {
      executor: "constant-arrival-rate", rate: Number(__ENV.EVENTS_A_SECOND || 500), timeUnit: "1s",
      duration: `${seconds}s`, startTime: "5s", preAllocatedVUs: 50, maxVUs: 200, exec: "read",
    },
  },
  thresholds: __ENV.LENIENT ? { checks: ["rate==1"] } : {
    checks: ["rate==1"],
    frame_delay: ["p(95)<1000"],
    frames: ["count>0"],
    "http_req_duration{kind:pixel}": ["p(95)<200"],
  },
};

export function watch() {
  let heard = 0;
  const url = `${base.replace("http", "ws")}/ws/campaigns/${__ENV.CAMPAIGN}`;
  const answer = ws.connect(url, { headers: { Authorization: `Bearer ${__ENV.KEY}` } }, (socket) => {
    socket.on("message", (text) => {
      const at = /"at":"([^"]+)"/.exec(text.slice(0, 400));
      if (heard && at) {
        delay.add(Math.max(0, Date.now() - Date.parse(at[1])));
        frames.add(1);
      }
      heard += 1;
    });
    socket.setTimeout(() => socket.close(), (seconds + 8) * 1000);
  });
  check(answer, { "socket opened": (r) => r && r.status === 101 });
  check(heard, { "snapshot and frames came": (n) => n > 1 });
}

const BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
let next = __VU;

export function read() {
  next = (next * 48271 + __ITER) % pixels.length;
  const answer = http.get(pixels[next], { headers: { "User-Agent": BROWSER }, tags: { kind: "pixel", name: "pixel" } });
  check(answer, { "pixel answers 200": (r) => r.status === 200 });
}
