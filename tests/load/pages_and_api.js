// k6: marketers reading pages and programs reading /v1, side by side, with thresholds that decide the exit code.
// Run by `make load` (tests/load/__main__.py): BASE_URL, EMAIL and PASSWORD come from the environment.
import http from "k6/http";
import { check, fail } from "k6";

const base = __ENV.BASE_URL;

export const options = {
  noCookiesReset: true, // one sign-in for each visitor, not for each page
  scenarios: {
    api: { executor: "constant-vus", vus: Number(__ENV.API_USERS || 10), duration: __ENV.DURATION || "20s", exec: "api" },
    pages: { executor: "constant-vus", vus: Number(__ENV.PAGE_USERS || 4), duration: __ENV.DURATION || "20s", exec: "pages" },
  },
  thresholds: __ENV.LENIENT ? { checks: ["rate==1"] } : {
    checks: ["rate==1"],
    "http_req_duration{kind:api}": ["p(95)<200"],
    "http_req_duration{kind:page}": ["p(95)<200"],
  },
};

export function setup() {
  const answer = http.post(
    `${base}/v1/auth/token`,
    JSON.stringify({ email: __ENV.EMAIL, password: __ENV.PASSWORD }),
    { headers: { "Content-Type": "application/json" } },
  );
  if (answer.status !== 200) fail(`sign-in answered ${answer.status}: ${answer.body}`);
  return { access: answer.json("access") };
}

const API = ["/v1/contacts?limit=50", "/v1/campaigns?limit=50", "/v1/lists", "/v1/me"];

export function api(data) {
  const path = API[Math.floor(Math.random() * API.length)];
  const answer = http.get(base + path, { headers: { Authorization: `Bearer ${data.access}` }, tags: { kind: "api" } });
  check(answer, { "api answers 200, or 429 with Retry-After": (r) => r.status === 200 || (r.status === 429 && r.headers["Retry-After"]) });
}

const PAGES = ["/", "/contacts", "/campaigns", "/lists"];
let signedIn = false;

export function pages() {
  if (!signedIn) {
    const form = http.get(`${base}/sign-in`);
    const token = form.html().find("input[name=csrfmiddlewaretoken]").attr("value");
    const answer = http.post(
      `${base}/sign-in`,
      { csrfmiddlewaretoken: token, email: __ENV.EMAIL, password: __ENV.PASSWORD },
      { headers: { Referer: `${base}/sign-in` } },
    );
    signedIn = check(answer, { "signed in": (r) => r.status === 200 && !r.url.includes("/sign-in") });
  }
  const answer = http.get(base + PAGES[Math.floor(Math.random() * PAGES.length)], { tags: { kind: "page" } });
  check(answer, { "page answers 200": (r) => r.status === 200 && !r.url.includes("/sign-in") });
}
