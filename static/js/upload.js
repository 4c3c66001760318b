/** Uploads with progress: XMLHttpRequest, because fetch() cannot report how much has been sent. */

import { csrfToken, RequestError } from "pq/http";

/**
 * @param {string} url
 * @param {FormData} data
 * @param {{onProgress?: (share: number) => void, signal?: AbortSignal}} [options] `share` runs from 0 to 1
 * @returns {Promise<{status: number, url: string, text: string}>} the answer, redirects followed
 * @throws {RequestError} for answers from 400 and for a lost connection
 */
export function upload(url, data, { onProgress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json, text/html;q=0.9");
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) onProgress?.(event.loaded / event.total); });
    request.addEventListener("load", () => {
      if (request.status < 400) return resolve({ status: request.status, url: request.responseURL, text: request.responseText });
      let problem = {};
      if ((request.getResponseHeader("Content-Type") ?? "").includes("json")) problem = JSON.parse(request.responseText);
      return reject(new RequestError(request.status, problem.detail || `The server answered ${request.status}.`, problem));
    });
    request.addEventListener("error", () => reject(new RequestError(0, "The connection was lost while uploading. Nothing was imported.")));
    request.addEventListener("abort", () => reject(new DOMException("Upload cancelled", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(data);
  });
}

/**
 * Let files be dropped on an element that holds an `<input type=file>`.
 *
 * @param {HTMLElement} zone gets the class `over` while a file hovers
 * @param {(files: FileList) => void} onFiles
 */
export function acceptDrops(zone, onFiles) {
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer?.files.length) onFiles(event.dataTransfer.files);
  });
}
