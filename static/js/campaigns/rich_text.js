/**
 * Text with TipTap (from django-prose-editor): rich text of blocks, and one-line texts such as the subject.
 *
 * In the page a merge tag is one unit that cannot be broken by typing; what is stored is Mustache.
 */

import { chipWords, findTags, isCondition, splitTags, tagSource } from "pq/campaigns/merge_tags";

let library;

/** Load the editor's code once; it is large and only pages where mail is written need it. */
export function loadEditor(url) {
  library ??= import(url);
  return library;
}

function tagElement(tag, page = document) {
  const made = page.createElement("span");
  for (const name of ["name", "fallback", "before", "after"]) made.setAttribute(`data-${name}`, tag[name]);
  made.setAttribute("data-tag", "");
  return made;
}

const readTag = (made) => Object.fromEntries(["name", "fallback", "before", "after"].map((name) => [name, made.getAttribute(`data-${name}`) ?? ""]));

/** Stored HTML -> what the editor shows: merge tags in texts become elements, those in addresses stay. */
export function toEditor(html) {
  const page = new DOMParser().parseFromString(html || "<p></p>", "text/html");
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const parts = splitTags(text.data);
    if (parts.some((part) => typeof part !== "string")) {
      text.replaceWith(...parts.map((part) => (typeof part === "string" ? page.createTextNode(part) : tagElement(part, page))));
    }
  }
  return page.body.innerHTML;
}

/** What the editor shows -> stored HTML. */
export function fromEditor(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const tag of page.querySelectorAll("[data-tag]")) tag.replaceWith(tagSource(readTag(tag)));
  return page.body.innerHTML;
}

function lineToEditor(text) {
  const line = document.createElement("p");
  line.append(...splitTags(text).map((part) => (typeof part === "string" ? part : tagElement(part))));
  return line.outerHTML;
}

const lineFromEditor = (editor) =>
  editor.state.doc.textBetween(0, editor.state.doc.content.size, " ", (node) => (node.type.name === "mergeTag" ? tagSource(node.attrs) : ""));

function mergeTagNode({ Node, Plugin }, directory, onTag) {
  const attribute = (name) => ({ default: "", parseHTML: (made) => made.getAttribute(`data-${name}`) ?? "" });
  return Node.create({
    name: "mergeTag",
    group: "inline",
    inline: true,
    atom: true,
    selectable: true,
    addAttributes: () => ({ name: attribute("name"), fallback: attribute("fallback"), before: attribute("before"), after: attribute("after") }),
    parseHTML: () => [{ tag: "span[data-tag]" }],
    renderHTML: ({ node }) => {
      const words = chipWords(node.attrs, directory);
      const reason = directory.reason(node.attrs.name);
      const look = isCondition(node.attrs.name) ? "tag condition" : "tag";
      const data = Object.fromEntries(Object.entries(node.attrs).map(([name, value]) => [`data-${name}`, value]));
      return [
        "span",
        { ...data, "data-tag": "", class: reason ? `${look} unknown` : look, ...(reason ? { title: reason } : {}) },
        ...(words.before ? [["i", {}, words.before]] : []), ["span", {}, words.main], ...(words.after ? [["i", {}, words.after]] : []),
        ...(words.rest ? [["em", {}, words.rest]] : []),
      ];
    },
    renderText: ({ node }) => tagSource(node.attrs),
    addKeyboardShortcuts() {
      return {
        Enter: () => {
          const { node, from } = this.editor.state.selection;
          if (node?.type.name !== "mergeTag") return false;
          onTag(this.editor, from);
          return true;
        },
      };
    },
    addProseMirrorPlugins() {
      const type = this.type;
      return [new Plugin({
        props: {
          handleClickOn: (_view, _pos, node, at) => {
            if (node.type !== type || !this.editor.isEditable) return false;
            // After the click is over: the editor takes the focus with it, and a popover would be dismissed by it.
            setTimeout(() => onTag(this.editor, at));
            return false;
          },
        },
        // Whatever way a tag came in (typed, pasted, filled in by a program), it becomes a chip once it is whole.
        appendTransaction: (transactions, _before, state) => {
          if (!transactions.some((one) => one.docChanged)) return null;
          const change = state.tr;
          state.doc.descendants((node, at) => {
            if (!node.isText) return;
            for (const { tag, from, to } of findTags(node.text).reverse()) {
              change.replaceWith(change.mapping.map(at + from), change.mapping.map(at + to), type.create(tag, null, node.marks));
            }
          });
          return change.docChanged ? change : null;
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

/** Put a tag where the caret stands. */
export function insertTag(editor, tag) {
  editor.view.focus(); // at once: the editor's own command does it with the next frame, after a form has taken the focus
  editor.chain().insertContent({ type: "mergeTag", attrs: { fallback: "", before: "", after: "", ...tag } }).run();
  return editor.state.selection.from - 1;
}

/** Change or remove (null) the tag at a place. */
export function replaceTag(editor, at, tag) {
  const node = editor.state.doc.nodeAt(at);
  if (node?.type.name !== "mergeTag") return;
  const change = editor.state.tr;
  if (tag) change.setNodeMarkup(at, null, { ...node.attrs, ...tag });
  else change.delete(at, at + 1);
  editor.view.dispatch(change);
}

/**
 * Put an editor of rich text into an element.
 *
 * @param {object} tools the loaded library
 * @param {HTMLElement} root
 * @param {{html: string, label: string, isEditable: boolean, directory: object, onTag: (editor: object, at: number) => void, onChange: (html: string) => void, onState: () => void, onSlash: () => boolean}} options
 *   `onSlash`: "/" was typed into an empty text; true when it was taken care of.
 */
export function richText(tools, root, { html, label, isEditable, directory, onTag, onChange, onState, onSlash }) {
  const { Editor, Document, Paragraph, Text, Bold, Italic, Underline, Strike, BulletList, OrderedList, ListItem, HardBreak } = tools;
  return new Editor({
    element: root,
    editable: isEditable,
    injectCSS: false,
    content: toEditor(html),
    extensions: [
      Document, Paragraph, Text, Bold, Italic, Underline, Strike, BulletList, OrderedList, ListItem, HardBreak,
      linkMark(tools), mergeTagNode(tools, directory, onTag),
    ],
    editorProps: {
      attributes: { class: "prose", role: "textbox", "aria-multiline": "true", "aria-label": label },
      handleTextInput: (view, _from, _to, text) => text === "/" && view.state.doc.textContent === "" && view.state.doc.childCount === 1 && view.state.doc.firstChild.childCount === 0 && onSlash(),
    },
    onUpdate: ({ editor }) => onChange(fromEditor(editor.getHTML())),
    onSelectionUpdate: onState,
    onTransaction: onState,
  });
}

/**
 * Put an editor of one line of plain text with merge tags into an element.
 *
 * @param {object} tools the loaded library
 * @param {HTMLElement} root
 * @param {{text: string, attributes: object, isEditable: boolean, directory: object, onTag: Function, onChange: (text: string) => void}} options
 *   `attributes` of the box itself, such as its id and `aria-labelledby`.
 */
export function lineText(tools, root, { text, attributes, isEditable, directory, onTag, onChange }) {
  const { Editor, Document, Paragraph, Text, Extension } = tools;
  const OneLine = Extension.create({ name: "oneLine", priority: 50, addKeyboardShortcuts: () => ({ Enter: () => true, "Shift-Enter": () => true }) });
  const editor = new Editor({
    element: root,
    editable: isEditable,
    injectCSS: false,
    content: lineToEditor(text),
    parseOptions: { preserveWhitespace: "full" },
    extensions: [Document.extend({ content: "paragraph" }), Paragraph, Text, mergeTagNode(tools, directory, onTag), OneLine],
    editorProps: {
      attributes: { role: "textbox", "aria-multiline": "false", ...attributes },
      handlePaste: (view, event) => {
        view.dispatch(view.state.tr.insertText(event.clipboardData.getData("text/plain").replace(/\s*\n\s*/g, " ").trim()));
        return true;
      },
    },
    onUpdate: () => onChange(lineFromEditor(editor)),
  });
  return {
    editor,
    /** Show another text, such as after undo. */
    show(other) {
      if (lineFromEditor(editor) === other) return;
      editor.commands.setContent(lineToEditor(other), { emitUpdate: false, parseOptions: { preserveWhitespace: "full" } });
    },
  };
}
