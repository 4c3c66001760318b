/** Moving blocks about: every change to the list of blocks, as one undo step each. */

import { copyBlock, locate, makeBlock } from "pq/campaigns/blocks";

/**
 * @param {import("pq/campaigns/document").MailDocument} mail
 * @param {{say: (words: string) => void, onFocus: (id: string|null) => void}} options
 *   `onFocus` is told which block the writer stands in next, before the change is announced.
 */
export function arrangement(mail, { say, onFocus }) {
  const body = () => mail.content.body;

  function structural(edit, focusId) {
    if (focusId !== undefined) onFocus(focusId);
    mail.change("structure", (content) => edit(content.body), { isStructural: true });
  }

  function take(blocks, id) {
    const [list, at] = locate(blocks, id);
    return [list.splice(at, 1)[0], list, at];
  }

  return {
    /** The block of an id, as it is now. */
    current(id) {
      const found = locate(body(), id);
      return found?.[0][found[1]];
    },

    setField: (id, name, value) => mail.change(`${id}.${name}`, (content) => {
      const found = locate(content.body, id);
      if (found) found[0][found[1]][name] = value;
    }),

    move(id, by) {
      const [list, index] = locate(body(), id);
      const to = index + by;
      if (to < 0 || to >= list.length) {
        say(by < 0 ? "This is the first block already." : "This is the last block already.");
        return;
      }
      structural((blocks) => {
        const [block, found, at] = take(blocks, id);
        found.splice(at + by, 0, block);
      }, id);
      say(`Moved to place ${to + 1} of ${list.length}`);
    },

    /** Put a block before or after another, in whatever list that stands; columns stay at the top. */
    moveBeside(id, targetId, { isAfter = false } = {}) {
      if (id === targetId) return;
      structural((blocks) => {
        const [block, from, at] = take(blocks, id);
        const target = locate(blocks, targetId);
        if (!target || (block.columns && target[0] !== blocks)) from.splice(at, 0, block);
        else target[0].splice(target[1] + (isAfter ? 1 : 0), 0, block);
      }, id);
    },

    /** Put a block at the end of a column. */
    moveIntoColumn(id, columnsId, number) {
      structural((blocks) => {
        const [block, from, at] = take(blocks, id);
        const target = locate(blocks, columnsId);
        if (!target || block.columns) from.splice(at, 0, block);
        else target[0][target[1]].columns[number].push(block);
      }, id);
    },

    remove(id) {
      const [list, index] = locate(body(), id);
      structural((blocks) => take(blocks, id), (list[index + 1] ?? list[index - 1])?.id ?? null);
      say("Removed. Undo brings it back.");
    },

    duplicate(id) {
      const [list, index] = locate(body(), id);
      const copied = copyBlock(list[index]);
      structural((blocks) => {
        const [found, at] = locate(blocks, id);
        found.splice(at + 1, 0, copied);
      }, copied.id);
    },

    /** Put a new block where `place(blocks)` says: `[list, index]`. */
    insert(type, place) {
      const block = makeBlock(type);
      structural((blocks) => {
        const [list, at] = place(blocks);
        list.splice(at, 0, block);
      }, block.id);
    },

    /** Put a new block in the place of another. */
    exchange(id, type) {
      const block = makeBlock(type);
      structural((blocks) => {
        const [list, at] = locate(blocks, id);
        list.splice(at, 1, block);
      }, block.id);
    },

    /** Give a columns block another number of columns; what stood in one that goes joins the one before. */
    setColumns(id, count) {
      structural((blocks) => {
        const [list, at] = locate(blocks, id);
        const { columns } = list[at];
        while (columns.length < count) columns.push([makeBlock("text")]);
        while (columns.length > count) columns.at(-2).push(...columns.pop());
      }, id);
    },

    /** Exchange a column with its neighbour. */
    swapColumns(id, number) {
      structural((blocks) => {
        const [list, at] = locate(blocks, id);
        const { columns } = list[at];
        [columns[number], columns[number + 1]] = [columns[number + 1], columns[number]];
      }, id);
    },
  };
}
