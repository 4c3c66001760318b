/**
 * The mail being written: subject, preview text and body, with undo and redo.
 *
 * The body is the block list of campaigns/content/blocks.py, or the source text of another format. Every change goes
 * through `change()`, so that saving, previewing and undoing see all of them. Typing within a second is one step.
 */

const STEP_MS = 1000;
const MOST_STEPS = 200;

const copy = (value) => structuredClone(value);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export class MailDocument extends EventTarget {
  #past = [];
  #future = [];
  #stepKey = null;
  #stepAt = 0;

  /** @param {{subject: string, preview_text: string, format: string, body: object[]|string}} content */
  constructor(content) {
    super();
    this.content = copy(content);
  }

  /**
   * Change the content.
   *
   * @param {string} key what is changed; repeated changes of one key within a second are one undo step
   * @param {(content: object) => void} edit changes the content in place
   * @param {{isStructural?: boolean}} [options] whether blocks came, went or moved, so that the canvas is drawn again
   */
  change(key, edit, { isStructural = false } = {}) {
    const before = copy(this.content);
    edit(this.content);
    if (same(before, this.content)) return;
    const now = Date.now();
    if (isStructural || key !== this.#stepKey || now - this.#stepAt > STEP_MS) {
      this.#past.push(before);
      if (this.#past.length > MOST_STEPS) this.#past.shift();
    }
    this.#stepKey = isStructural ? null : key;
    this.#stepAt = now;
    this.#future = [];
    this.#tell(isStructural);
  }

  /** Do something that is an undo step of its own: typing right before and after it is another one. */
  apart(work) {
    this.#stepKey = null;
    work();
    this.#stepKey = null;
  }

  /** Put other content in place, such as an adopted draft; one undo step. */
  replace(content) {
    this.change("replace", (current) => Object.assign(current, copy(content)), { isStructural: true });
  }

  /** Put content in place that the server has already; it can still be undone. */
  adopt(content) {
    this.#past.push(copy(this.content));
    this.#future = [];
    this.#stepKey = null;
    Object.assign(this.content, copy(content));
    this.dispatchEvent(new CustomEvent("adopted", { detail: { isStructural: true } }));
  }

  get canUndo() { return this.#past.length > 0; }
  get canRedo() { return this.#future.length > 0; }

  undo() { this.#step(this.#past, this.#future); }
  redo() { this.#step(this.#future, this.#past); }

  #step(from, to) {
    if (from.length === 0) return;
    to.push(copy(this.content));
    this.content = from.pop();
    this.#stepKey = null;
    this.#tell(true);
  }

  #tell(isStructural) {
    this.dispatchEvent(new CustomEvent("changed", { detail: { isStructural } }));
  }
}
