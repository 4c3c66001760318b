/**
 * How each kind of block looks while it is being written.
 *
 * A face is made from its block and a `state` that canvas and inspector share; `state.refresh(block)` shows a block whose
 * fields were changed elsewhere.
 */

import { element } from "pq/element";
import { icon } from "pq/icon";
import { readable } from "pq/campaigns/merge_tags";
import { richText } from "pq/campaigns/rich_text";

const isShown = (address) => /^https?:\/\//.test(address);

function picture(src, alt) {
  return element("img", { src, alt, className: "art", loading: "lazy", referrerPolicy: "no-referrer" });
}

/** A face that is drawn anew from its block whenever a field changes. */
const drawn = (root, draw) => (block, state) => {
  const face = root();
  state.refresh = (latest) => draw(face, latest);
  draw(face, block);
  return face;
};


/**
 * @param {{editors: ReturnType<import("pq/campaigns/editors").editorPool>, canEdit: boolean, directory: object, setField: Function, onTag: Function, onSlash: (id: string) => void, drawBlock: (block: object) => HTMLElement, columnEnd: (block: object, number: number) => HTMLElement}} context
 * @returns {Record<string, (block: object, state: object) => HTMLElement>} type -> what draws it
 */
export function blockFaces({ editors, canEdit, directory, setField, onTag, onSlash, drawBlock, columnEnd }) {
  function rich(block, label, state) {
    const host = element("div", { className: "rich" });
    const onChange = (html) => setField(block.id, "html", html);
    editors.mount(host, state, {
      start: (tools) => richText(tools, host, {
        html: block.html, label, isEditable: canEdit, directory, onTag, onChange,
        onState: () => state.onEditorState?.(),
        onSlash: () => { onSlash(block.id); return true; },
      }),
      plain: { value: block.html, label: `${label}, as HTML`, onChange, rows: 5 },
    });
    return host;
  }

  function heading(block, state) {
    const host = element("div", { className: `heading-face level-${block.level}` });
    state.refresh = (latest) => { host.className = `heading-face level-${latest.level}`; };
    editors.line(host, state, {
      text: block.text,
      label: "Heading",
      attributes: { class: "block-heading", "aria-label": "Heading" },
      onChange: (text) => setField(block.id, "text", text),
    });
    return host;
  }

  return {
    heading,
    text: (block, state) => rich(block, "Text", state),
    quote: (block, state) => {
      const who = element("p", { className: "mut sm", textContent: readable(block.attribution) });
      state.refresh = (latest) => { who.textContent = readable(latest.attribution); };
      return element("blockquote", {}, rich(block, "Quote", state), who);
    },
    button: drawn(() => element("span", { className: "cta" }), (face, block) => { face.textContent = readable(block.label) || "Button"; }),
    image: drawn(() => element("div", { className: "picture" }), (face, block) => {
      if (isShown(block.src)) face.replaceChildren(picture(block.src, block.alt));
      else face.replaceChildren(icon("image"), element("span", { className: "xs", textContent: canEdit ? "Choose a picture below" : "No picture yet" }));
    }),
    divider: () => element("hr"),
    spacer: drawn(() => element("div", { className: "space xs dim" }), (face, block) => {
      face.style.setProperty("height", `${block.height}px`);
      face.textContent = `${block.height} px`;
    }),
    social: drawn(() => element("p", { className: "sm row" }), (face, block) => {
      face.replaceChildren(...block.links.map((link) => element("span", { className: "chip", textContent: link.network })));
    }),
    product: drawn(() => element("div", { className: "stack tight" }), (face, block) => {
      face.replaceChildren(
        ...(isShown(block.image) ? [picture(block.image, "")] : []),
        element("b", { textContent: readable(block.title) || "Product" }),
        ...[block.text, block.price].filter(Boolean).map((text) => element("span", { className: "sm", textContent: readable(text) })),
        ...(block.label ? [element("span", { className: "cta", textContent: readable(block.label) })] : []),
      );
    }),
    html: drawn(() => element("pre", { className: "code-face xs" }), (face, block) => { face.textContent = block.html || "Empty HTML block"; }),
    columns: (block) => element("div", { className: "block-columns" }, ...block.columns.map((column, number) => {
      const list = element("div", { className: "stack tight block-column" }, ...column.map((inner) => drawBlock(inner)));
      if (canEdit) list.append(columnEnd(block, number));
      return list;
    })),
  };
}
