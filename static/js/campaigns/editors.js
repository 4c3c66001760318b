/** The text editors of a page: started once the library is there, ended together when their page part is drawn anew. */

import { element } from "pq/element";
import { insertTag, lineText, loadEditor } from "pq/campaigns/rich_text";

/** A plain box where the library could not be loaded (offline, blocked): the source itself can be edited. */
function plainBox({ value, label, onChange, rows = 1 }, canEdit) {
  const box = element("textarea", { className: "input", value, rows, readOnly: !canEdit });
  box.setAttribute("aria-label", label);
  box.addEventListener("input", () => onChange(box.value));
  return box;
}

/**
 * @param {{editorUrl: string, canEdit: boolean, directory: object, tagPicker: object}} options
 */
export function editorPool({ editorUrl, canEdit, directory, tagPicker }) {
  let running = [];
  let drawing = 0;
  const byHost = new WeakMap();

  /**
   * Start an editor in `host`. `state.editor` is set once it runs; with `state.wantsFocus` it takes the focus.
   *
   * @param {HTMLElement} host
   * @param {object} state
   * @param {{start: (tools: object) => object, plain: object}} how
   */
  function mount(host, state, { start, plain }) {
    const mine = drawing;
    return loadEditor(editorUrl).then((tools) => {
      if (mine !== drawing) return;
      state.editor = start(tools);
      running.push(state.editor);
      byHost.set(host, state.editor);
      if (state.wantsFocus) state.editor.commands.focus("end");
      state.onEditorState?.();
    }).catch(() => host.replaceChildren(plainBox(plain, canEdit)));
  }

  return {
    mount,
    /** One line of text with merge tags. `state.show(text)` shows another text. */
    line: (host, state, { text, label, attributes, onChange }) => mount(host, state, {
      start: (tools) => {
        const line = lineText(tools, host, { text, attributes, isEditable: canEdit, directory, onTag: tagPicker.edit, onChange });
        state.show = line.show;
        return line.editor;
      },
      plain: { value: text, label, onChange },
    }),
    /** Ask for a merge tag and put it into the editor of a host. */
    async insertTag(host, button) {
      const editor = byHost.get(host);
      const tag = editor && (await tagPicker.pick(button));
      if (tag) tagPicker.edit(editor, insertTag(editor, tag), { isNew: true });
    },
    /** End every editor; what is still loading will not start. */
    clear() {
      drawing += 1;
      for (const editor of running) editor.destroy();
      running = [];
    },
  };
}
