/** The fields of a block, under it while it is chosen: built from the table in blocks.js. */

import { element, labelled } from "pq/element";
import { icon } from "pq/icon";
import { pickPicture } from "pq/campaigns/media_picker";

let lines = 0;

function fieldOf(field, control) {
  control.dataset.name = field.name;
  return labelled(field.label, control, { isOptional: field.isOptional });
}

/** Put a text into a control as if it had been typed. */
function write(control, text) {
  control.value = text;
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

const MAKERS = {
  line: (field, value, set, { editors }) => {
    const host = element("div", { className: "input s line-host" });
    const label = element("span", { className: "label", id: `line-${++lines}`, textContent: field.label });
    if (field.isOptional) label.append(" ", element("span", { className: "optional", textContent: "optional" }));
    editors.line(host, {}, { text: value, label: field.label, attributes: { class: "line", "aria-labelledby": label.id }, onChange: set });
    const tag = element("button", { type: "button", className: "btn quiet s icon", textContent: "{{" });
    tag.setAttribute("aria-label", "Insert a merge tag");
    tag.setAttribute("aria-describedby", label.id);
    tag.addEventListener("click", () => editors.insertTag(host, tag));
    return element("div", { className: "field" }, label, element("div", { className: "row nowrap-f" }, host, tag));
  },
  text: (field, value, set) => {
    const input = element("input", { className: "input s", value, maxLength: field.max ?? 300 });
    input.addEventListener("input", () => set(input.value));
    return fieldOf(field, input);
  },
  url: (field, value, set) => {
    const input = element("input", { className: "input s", value, maxLength: 2000, inputMode: "url", spellcheck: false, placeholder: "https://" });
    input.addEventListener("input", () => set(input.value.trim()));
    return fieldOf(field, input);
  },
  picture: (field, value, set, context) => {
    const row = MAKERS.url(field, value, set, context);
    const input = row.querySelector("input");
    const choose = element("button", { type: "button", className: "btn s" }, icon("media", "s"), "Choose from media");
    choose.addEventListener("click", async () => {
      const picture = await pickPicture();
      if (!picture) return;
      write(input, picture.url);
      const alt = row.parentElement.querySelector('[data-name="alt"]');
      if (alt && !alt.value && picture.alt) write(alt, picture.alt);
    });
    row.append(element("div", {}, choose));
    return row;
  },
  area: (field, value, set) => {
    const input = element("textarea", { className: "input", value, maxLength: field.max, rows: 3 });
    input.addEventListener("input", () => set(input.value));
    return fieldOf(field, input);
  },
  number: (field, value, set) => {
    const input = element("input", { className: "input s w-auto", type: "number", min: field.min, max: field.max, value });
    input.addEventListener("input", () => {
      if (input.checkValidity() && input.value !== "") set(Number(input.value));
    });
    return fieldOf(field, input);
  },
  segment: (field, value, set) => {
    const group = element("div", { className: "seg", role: "group" });
    group.setAttribute("aria-label", field.label);
    for (const [option, words] of field.options) {
      const button = element("button", { type: "button", textContent: words });
      button.setAttribute("aria-pressed", String(option === value));
      button.addEventListener("click", () => {
        for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
        set(option);
      });
      group.append(button);
    }
    return group;
  },
  links: (field, value, set, { networks }) => {
    const links = structuredClone(value);
    const list = element("div", { className: "stack tight grow" });
    const draw = () => {
      list.replaceChildren(...links.map((link, index) => {
        const choice = element("select", { className: "input s w-auto" }, ...networks.map((name) => element("option", { value: name, textContent: name, selected: name === link.network })));
        choice.setAttribute("aria-label", `Network ${index + 1}`);
        choice.addEventListener("change", () => { link.network = choice.value; set(structuredClone(links)); });
        const url = element("input", { className: "input s", value: link.url, placeholder: "https://", spellcheck: false });
        url.setAttribute("aria-label", `Address ${index + 1}`);
        url.addEventListener("input", () => { link.url = url.value.trim(); set(structuredClone(links)); });
        const remove = element("button", { type: "button", className: "btn quiet s icon" }, icon("trash", "s"));
        remove.setAttribute("aria-label", `Remove link ${index + 1}`);
        remove.addEventListener("click", () => { links.splice(index, 1); set(structuredClone(links)); draw(); });
        return element("div", { className: "row nowrap-f" }, choice, url, remove);
      }));
      const add = element("button", { type: "button", className: "btn s", textContent: "Add a link", disabled: links.length >= 12 });
      add.addEventListener("click", () => { links.push({ network: networks[0], url: "" }); set(structuredClone(links)); draw(); });
      list.append(element("div", {}, add));
    };
    draw();
    return list;
  },
};

/**
 * Build the inspector's rows.
 *
 * @param {object} kind an entry of KINDS
 * @param {object} block
 * @param {(name: string, value: any) => void} set called with each change
 * @param {{networks: string[], editors: object}} context
 * @returns {{compact: HTMLElement[], wide: HTMLElement[]}} small controls for the first row, and full-width fields
 */
export function inspectorOf(kind, block, set, context) {
  const compact = [];
  const wide = [];
  for (const field of kind.fields) {
    const control = MAKERS[field.kind](field, block[field.name], (value) => set(field.name, value), context);
    (field.kind === "segment" ? compact : wide).push(control);
  }
  return { compact, wide };
}
