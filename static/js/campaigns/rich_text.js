/**
 * Rich text with TipTap (from django-prose-editor): bold, italic, underline, strike, links, lists and merge tags.
 *
 * In the page a merge tag is one unit that cannot be broken by typing; in the stored HTML it is `{{name}}`.
 */

let library;

/** Load the editor's code once; it is large and only the composer needs it. */
export function loadEditor(url) {
  library ??= import(url);
  return library;
}

const TAG = /\{\{\{?\s*([#^/]?[A-Za-z][\w.]*)\s*\}?\}\}/g;

/** Stored HTML -> what the editor shows: merge tags in texts become elements, those in addresses stay. */
export function toEditor(html) {
  const page = new DOMParser().parseFromString(html || "<p></p>", "text/html");
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const parts = text.data.split(TAG);
    if (parts.length === 1) continue;
    text.replaceWith(...parts.map((part, index) => {
      if (index % 2 === 0) return page.createTextNode(part);
      const tag = page.createElement("span");
      tag.dataset.tag = part;
      return tag;
    }));
  }
  return page.body.innerHTML;
}

/** What the editor shows -> stored HTML. */
export function fromEditor(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const tag of page.querySelectorAll("[data-tag]")) tag.replaceWith(`{{${tag.dataset.tag}}}`);
  return page.body.innerHTML;
}

/** Sections read as what they mean: `#city` is "if city", `^city` "if no city", `/city` "end". */
function inWords(name) {
  const words = { "#": `if ${name.slice(1)}`, "^": `if no ${name.slice(1)}`, "/": "end" };
  return words[name[0]] ?? name;
}

function mergeTagNode({ Node, InputRule, mergeAttributes }, describe) {
  return Node.create({
    name: "mergeTag",
    group: "inline",
    inline: true,
    atom: true,
    selectable: true,
    addAttributes: () => ({ name: { default: "", parseHTML: (element) => element.dataset.tag } }),
    parseHTML: () => [{ tag: "span[data-tag]" }],
    renderHTML: ({ node, HTMLAttributes }) => {
      const { fallback } = describe(node.attrs.name);
      const own = { class: /^[#^/]/.test(node.attrs.name) ? "tag condition" : "tag", "data-tag": node.attrs.name };
      const { name: _name, ...rest } = HTMLAttributes;
      return ["span", mergeAttributes(rest, own), inWords(node.attrs.name), ...(fallback ? [["em", {}, `else “${fallback}”`]] : [])];
    },
    renderText: ({ node }) => `{{${node.attrs.name}}}`,
    addInputRules() {
      return [new InputRule({
        find: /\{\{\s*([#^/]?[A-Za-z][\w.]*)\s*\}\}$/,
        handler: ({ range, match, chain }) => {
          chain().deleteRange(range).insertContentAt(range.from, { type: "mergeTag", attrs: { name: match[1] } }).run();
        },
      })];
    },
  });
}

function linkMark({ Mark, mergeAttributes }) {
  return Mark.create({
    name: "link",
    inclusive: false,
    addAttributes: () => ({ href: { default: "" } }),
    parseHTML: () => [{ tag: "a[href]" }],
    renderHTML: ({ HTMLAttributes }) => ["a", mergeAttributes(HTMLAttributes), 0],
  });
}

/**
 * Put an editor into an element.
 *
 * @param {object} tools the loaded library
 * @param {HTMLElement} element
 * @param {{html: string, label: string, isEditable: boolean, describe: (name: string) => {fallback: string}, onChange: (html: string) => void, onState: () => void}} options
 */
export function richText(tools, element, { html, label, isEditable, describe, onChange, onState }) {
  const { Editor, Document, Paragraph, Text, Bold, Italic, Underline, Strike, BulletList, OrderedList, ListItem, HardBreak } = tools;
  return new Editor({
    element,
    editable: isEditable,
    injectCSS: false,
    content: toEditor(html),
    extensions: [
      Document, Paragraph, Text, Bold, Italic, Underline, Strike, BulletList, OrderedList, ListItem, HardBreak,
      linkMark(tools), mergeTagNode(tools, describe),
    ],
    editorProps: { attributes: { class: "prose", role: "textbox", "aria-multiline": "true", "aria-label": label } },
    onUpdate: ({ editor }) => onChange(fromEditor(editor.getHTML())),
    onSelectionUpdate: onState,
    onTransaction: onState,
  });
}
