/** The media page: pictures go up one after the other, with progress. Without scripts the form just submits. */

import { bytes } from "pq/format";
import { acceptDrops, upload } from "pq/upload";

const form = document.querySelector("[data-media-upload]");
const input = form.querySelector('input[type="file"]');
const part = (name) => form.querySelector(`[data-upload-${name}]`);
let isBusy = false;

part("button").hidden = true; // choosing is uploading here

async function send(file, number, count) {
  const data = new FormData(form);
  data.set("file", file);
  const place = count > 1 ? ` (${number} of ${count})` : "";
  part("bar").value = 0;
  part("name").textContent = `Uploading ${file.name}, ${bytes(file.size)}${place}`;
  await upload(location.pathname, data, {
    onProgress: (share) => {
      part("bar").value = share;
      if (share >= 1) part("name").textContent = `Looking at ${file.name}${place}`;
    },
  });
}

async function sendAll(files) {
  if (isBusy || !files.length) return;
  isBusy = true;
  part("problem").hidden = true;
  part("state").hidden = false;
  const problems = [];
  for (const [index, file] of files.entries()) {
    try {
      await send(file, index + 1, files.length);
    } catch (error) {
      problems.push(`${file.name}: ${error.message}`);
    }
  }
  if (!problems.length) return location.assign(location.pathname);
  isBusy = false;
  part("problem").replaceChildren(...problems.map((words) => Object.assign(document.createElement("p"), { textContent: words })));
  part("problem").hidden = false;
  part("state").hidden = true;
  input.value = "";
}

input.addEventListener("change", () => sendAll([...input.files]));
acceptDrops(form.querySelector("[data-drop]"), (files) => sendAll([...files]));
