/** Requests to our own pages and API, with the CSRF token and errors that a reader understands. */

/** What a request came back with when it did not work. */
export class RequestError extends Error {
  /**
   * @param {number} status HTTP status, 0 when nothing answered
   * @param {string} detail a sentence to show
   * @param {object} problem the problem+json body, or {}
   */
  constructor(status, detail, problem = {}) {
    super(detail);
    this.status = status;
    this.problem = problem;
  }
}

/** The CSRF token; its cookie is HttpOnly, so the page carries it. */
export const csrfToken = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

async function request(method, url, { data, signal, headers = {} } = {}) {
  const body = data === undefined || data instanceof FormData ? data : JSON.stringify(data);
  let response;
  try {
    response = await fetch(url, {
      method,
      body,
      signal,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        ...(method === "GET" ? {} : { "X-CSRFToken": csrfToken() }),
        ...(typeof body === "string" ? { "Content-Type": "application/json" } : {}),
        ...headers,
      },
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(0, "No connection. Nothing was lost; try again in a moment.");
  }
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  const answer = response.status === 204 ? null : isJson ? await response.json() : await response.text();
  if (response.ok) return answer;
  const problem = isJson ? answer : {};
  throw new RequestError(response.status, problem.detail || problem.title || `The server answered ${response.status}.`, problem);
}

/** @param {string} url @param {{signal?: AbortSignal, headers?: object}} [options] */
export const get = (url, options) => request("GET", url, options);
/** @param {string} url @param {object|FormData} [data] @param {{signal?: AbortSignal, headers?: object}} [options] */
export const post = (url, data, options) => request("POST", url, { ...options, data });
export const patch = (url, data, options) => request("PATCH", url, { ...options, data });
export const put = (url, data, options) => request("PUT", url, { ...options, data });
export const del = (url, options) => request("DELETE", url, options);
