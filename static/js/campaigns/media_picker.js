/** A dialog with the workspace's pictures, for blocks that show one. */

import { get } from "pq/http";
import { toast } from "pq/toast";

const ADDRESS = "/v1/assets?limit=60";

function element(name, props = {}, ...children) {
  const made = Object.assign(document.createElement(name), props);
  made.append(...children);
  return made;
}

function tile(asset, choose) {
  const picture = element("img", { src: new URL(asset.url).pathname, alt: "", loading: "lazy" });
  const button = element("button", { type: "button", className: "pick-tile" }, picture, element("span", { className: "xs cut", textContent: asset.name }));
  button.addEventListener("click", () => choose(asset));
  return element("li", {}, button);
}

/**
 * Let somebody choose one of the workspace's pictures.
 *
 * @returns {Promise<{url: string, alt: string}|null>} null when they thought better of it
 */
export async function pickPicture() {
  let assets;
  try {
    ({ results: assets } = await get(ADDRESS));
  } catch (error) {
    toast(error.message, { tone: "error" });
    return null;
  }
  return new Promise((resolve) => {
    let chosen = null;
    const dialog = element("dialog", { className: "dialog wide" });
    dialog.setAttribute("aria-labelledby", "media-picker-h");
    const choose = (asset) => { chosen = asset; dialog.close(); };
    const list = assets.length
      ? element("ul", { className: "pick-grid" }, ...assets.map((asset) => tile(asset, choose)))
      : element("p", { className: "sm mut", textContent: "No pictures yet. Upload some on the media page, then choose again." });
    const cancel = element("button", { type: "button", className: "btn quiet push", textContent: "Cancel" });
    cancel.addEventListener("click", () => dialog.close());
    const media = element("a", { className: "btn", href: "/media", target: "_blank", rel: "noopener", textContent: "Open media" });
    dialog.append(element("h2", { id: "media-picker-h", textContent: "Choose a picture" }), list, element("div", { className: "row" }, media, cancel));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(chosen); }, { once: true });
    document.body.append(dialog);
    dialog.showModal();
  });
}
