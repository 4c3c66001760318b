/** Dragging blocks by their grips, to before or after another block or into a column. */

const TYPE = "application/x-block";

/**
 * @param {HTMLElement} root the canvas
 * @param {ReturnType<import("pq/campaigns/arrangement").arrangement>} blocks
 */
export function blockDrag(root, blocks) {
  const clear = () => root.querySelectorAll(".drop-before, .drop-after").forEach((wrap) => wrap.classList.remove("drop-before", "drop-after"));

  /** What is under the pointer, and whether the pointer is in its lower half. */
  function under(event) {
    const column = event.target.closest(".add[data-column]");
    if (column) return { column };
    const wrap = event.target.closest("[data-block]");
    if (!wrap) return null;
    const box = wrap.getBoundingClientRect();
    return { wrap, isAfter: event.clientY > box.top + box.height / 2 };
  }

  root.addEventListener("dragstart", (event) => {
    const wrap = event.target.closest(".grip")?.closest("[data-block]");
    if (!wrap) return;
    event.dataTransfer.setData(TYPE, wrap.dataset.block);
    event.dataTransfer.effectAllowed = "move";
    const box = wrap.getBoundingClientRect();
    event.dataTransfer.setDragImage(wrap, event.clientX - box.left, event.clientY - box.top);
    requestAnimationFrame(() => wrap.classList.add("dragging"));
  });
  root.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes(TYPE)) return;
    event.preventDefault();
    clear();
    const place = under(event);
    place?.column?.classList.add("drop-before");
    place?.wrap?.classList.add(place.isAfter ? "drop-after" : "drop-before");
  });
  root.addEventListener("drop", (event) => {
    const id = event.dataTransfer.getData(TYPE);
    const place = under(event);
    clear();
    if (!id || !place) return;
    event.preventDefault();
    if (place.column) {
      const [columnsId, number] = place.column.dataset.column.split(":");
      blocks.moveIntoColumn(id, columnsId, Number(number));
    } else {
      blocks.moveBeside(id, place.wrap.dataset.block, { isAfter: place.isAfter });
    }
  });
  root.addEventListener("dragend", () => {
    clear();
    root.querySelectorAll(".dragging").forEach((wrap) => wrap.classList.remove("dragging"));
  });
}
