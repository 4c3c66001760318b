/** Step one of an import: drop or choose a file, see it go up, go on. Without scripts the form just submits. */

import { bytes } from "pq/format";
import { acceptDrops, upload } from "pq/upload";

const form = document.querySelector("[data-upload]");
const input = form.querySelector('input[type="file"]');
const part = (name) => form.querySelector(`[data-upload-${name}]`);

async function send(file) {
  const data = new FormData(form);
  data.set("file", file);
  part("problem").hidden = true;
  part("state").hidden = false;
  part("button").hidden = true;
  part("name").textContent = `Uploading ${file.name}, ${bytes(file.size)}`;
  try {
    const answer = await upload(form.action || location.href, data, {
      onProgress: (share) => {
        part("bar").value = share;
        if (share >= 1) part("name").textContent = `Looking at ${file.name}`;
      },
    });
    location.assign(JSON.parse(answer.text).url);
  } catch (error) {
    part("problem").textContent = error.message;
    part("problem").hidden = false;
    part("state").hidden = true;
    part("button").hidden = false;
    part("bar").value = 0;
    input.value = "";
  }
}

input.addEventListener("change", () => { if (input.files.length) send(input.files[0]); });
acceptDrops(form.querySelector("[data-drop]"), (files) => send(files[0]));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files.length) send(input.files[0]);
  else input.click();
});
