/**
 * What kinds of blocks there are: the words, icon and first content of each, and the fields its inspector shows.
 * The server's schema (campaigns/content/blocks.py) is the judge; this table only says how to edit it.
 */

const ALIGN = { name: "align", label: "Align", kind: "segment", options: [["left", "Left"], ["center", "Centre"], ["right", "Right"]] };

/**
 * type -> {label, icon, hint, words, make(), fields}; a field's kind is line (with merge tags), text, area, url, picture,
 * number, segment or links; `hint` and `words` are what the picker says and finds.
 */
export const KINDS = {
  heading: {
    label: "Heading",
    icon: "heading", hint: "A line that stands out", words: "title headline",
    make: () => ({ text: "", level: 2, align: "left" }),
    fields: [{ name: "level", label: "Size", kind: "segment", options: [[1, "L"], [2, "M"], [3, "S"]] }, ALIGN],
  },
  text: { label: "Text", icon: "text", hint: "Paragraphs, lists, links", words: "paragraph body words", make: () => ({ html: "<p></p>", align: "left" }), fields: [ALIGN] },
  button: {
    label: "Button",
    icon: "button", hint: "One thing to do", words: "cta link action",
    make: () => ({ label: "Read more", url: "", align: "left" }),
    fields: [
      { name: "label", label: "Label", kind: "line" },
      { name: "url", label: "Leads to", kind: "url" },
      ALIGN,
    ],
  },
  image: {
    label: "Picture",
    icon: "image", hint: "From media or an address", words: "image photo logo",
    make: () => ({ src: "", alt: "", href: "", align: "center" }),
    fields: [
      { name: "src", label: "Address of the picture", kind: "picture" },
      { name: "alt", label: "What it shows, for those who cannot see it", kind: "text", max: 300 },
      { name: "href", label: "Leads to", kind: "url", isOptional: true },
      ALIGN,
    ],
  },
  quote: {
    label: "Quote",
    icon: "quote", hint: "Somebody's words", words: "testimonial",
    make: () => ({ html: "<p></p>", attribution: "" }),
    fields: [{ name: "attribution", label: "Who said it", kind: "line", isOptional: true }],
  },
  product: {
    label: "Product",
    icon: "product", hint: "Picture, price and button", words: "card shop item",
    make: () => ({ title: "", text: "", price: "", image: "", url: "", label: "See it" }),
    fields: [
      { name: "title", label: "Name", kind: "line" },
      { name: "text", label: "Description", kind: "area", max: 1000, isOptional: true },
      { name: "price", label: "Price", kind: "text", max: 60, isOptional: true },
      { name: "image", label: "Address of the picture", kind: "picture", isOptional: true },
      { name: "url", label: "Leads to", kind: "url" },
      { name: "label", label: "Button", kind: "line" },
    ],
  },
  divider: { label: "Line", icon: "divider", hint: "Between two thoughts", words: "line rule separator", make: () => ({}), fields: [] },
  spacer: {
    label: "Space",
    icon: "spacer", hint: "Room to breathe", words: "space gap padding",
    make: () => ({ height: 24 }),
    fields: [{ name: "height", label: "Height in pixels", kind: "number", min: 4, max: 80 }],
  },
  columns: {
    label: "Columns",
    icon: "columns", hint: "Two or three, stacked on phones", words: "grid side layout",
    make: () => ({ columns: [[makeBlock("text")], [makeBlock("text")]] }),
    fields: [],
  },
  social: {
    label: "Social links",
    icon: "social", hint: "Instagram, LinkedIn and others", words: "icons follow network",
    make: () => ({ links: [{ network: "instagram", url: "" }] }),
    fields: [{ name: "links", label: "Links", kind: "links" }],
  },
  html: { label: "HTML", icon: "code", hint: "Tables and styles of your own", words: "code raw", make: () => ({ html: "" }), fields: [{ name: "html", label: "HTML", kind: "area", max: 100000 }] },
};

/** A new block of a type. */
export function makeBlock(type) {
  const id = `b${Math.random().toString(36).slice(2, 10)}`;
  return { id, type, ...KINDS[type].make() };
}

/** A copy of a block with new ids, inside its columns too. */
export function copyBlock(block) {
  const copied = structuredClone(block);
  copied.id = makeBlock("divider").id;
  for (const column of copied.columns ?? []) {
    for (const inner of column) inner.id = makeBlock("divider").id;
  }
  return copied;
}

/** The list that holds a block, and its place there: `[list, index]`, or null. */
export function locate(blocks, id) {
  for (const [index, block] of blocks.entries()) {
    if (block.id === id) return [blocks, index];
    for (const column of block.columns ?? []) {
      const found = locate(column, id);
      if (found) return found;
    }
  }
  return null;
}
