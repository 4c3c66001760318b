// k6: many people watch one campaign's live page; every socket must get a frame or a heartbeat in time.
import ws from "k6/ws";
import http from "k6/http";
import { check, fail } from "k6";

const base = __ENV.BASE_URL;

export const options = {
  scenarios: {
    watchers: { executor: "per-vu-iterations", vus: Number(__ENV.WATCHERS || 100), iterations: 1, maxDuration: "90s" },
  },
  thresholds: { checks: ["rate==1"] },
};

export function setup() {
  const answer = http.post(
    `${base}/v1/auth/token`,
    JSON.stringify({ email: __ENV.EMAIL, password: __ENV.PASSWORD }),
    { headers: { "Content-Type": "application/json" } },
  );
  if (answer.status !== 200) fail(`sign-in answered ${answer.status}: ${answer.body}`);
  const access = answer.json("access");
  const campaigns = http.get(`${base}/v1/campaigns?status=sent&limit=1`, { headers: { Authorization: `Bearer ${access}` } });
  return { access, campaign: campaigns.json("results.0.id") };
}

export default function watch(data) {
  let heard = 0;
  const url = `${base.replace("http", "ws")}/ws/campaigns/${data.campaign}`;
  const answer = ws.connect(url, { headers: { Authorization: `Bearer ${data.access}` } }, (socket) => {
    socket.on("message", () => (heard += 1));
    socket.setTimeout(() => socket.close(), 20_000);
  });
  check(answer, { "socket opened": (r) => r && r.status === 101 });
  check(heard, { "heard within the heartbeat": (n) => n > 0 });
}
