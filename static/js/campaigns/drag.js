/**
 * Dragging blocks by their grips, to before or after another block or into a column, with mouse, pen or finger.
 *
 * Pointer events rather than the browser's own drag and drop, which knows no fingers and no buttons as handles.
 */

const THRESHOLD = 5;
/** How near to the window's edge the page begins to scroll, and how far with each move. */
const EDGE = 60;
const SCROLL = 14;

/**
 * @param {HTMLElement} root the canvas
 * @param {ReturnType<import("pq/campaigns/arrangement").arrangement>} blocks
 */
export function blockDrag(root, blocks) {
  let drag = null;

  const clear = () => root.querySelectorAll(".drop-before, .drop-after").forEach((wrap) => wrap.classList.remove("drop-before", "drop-after"));

  /** What is under the pointer, and whether the pointer is in its lower half. */
  function under(event) {
    const target = document.elementFromPoint(event.clientX, event.clientY);
    if (!target || !root.contains(target)) return null;
    const column = target.closest(".add[data-column]");
    if (column) return { column };
    const wrap = target.closest("[data-block]");
    if (!wrap || drag.wrap.contains(wrap)) return null;
    const box = wrap.getBoundingClientRect();
    return { wrap, isAfter: event.clientY > box.top + box.height / 2 };
  }

  function end() {
    clear();
    drag.wrap.classList.remove("dragging");
    document.documentElement.classList.remove("is-dragging");
    drag = null;
  }

  function move(event) {
    if (!drag.hasBegun) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < THRESHOLD) return;
      drag.hasBegun = true;
      drag.wrap.classList.add("dragging");
      document.documentElement.classList.add("is-dragging");
    }
    if (event.clientY < EDGE) scrollBy(0, -SCROLL);
    else if (event.clientY > innerHeight - EDGE) scrollBy(0, SCROLL);
    clear();
    drag.place = under(event);
    drag.place?.column?.classList.add("drop-before");
    drag.place?.wrap?.classList.add(drag.place.isAfter ? "drop-after" : "drop-before");
  }

  function drop() {
    const { place, wrap, hasBegun } = drag;
    end();
    if (!hasBegun || !place) return;
    if (place.column) {
      const [columnsId, number] = place.column.dataset.column.split(":");
      blocks.moveIntoColumn(wrap.dataset.block, columnsId, Number(number));
    } else {
      blocks.moveBeside(wrap.dataset.block, place.wrap.dataset.block, { isAfter: place.isAfter });
    }
  }

  root.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-handle]");
    if (!handle || event.button !== 0) return;
    drag = { wrap: handle.closest("[data-block]"), x: event.clientX, y: event.clientY, hasBegun: false, place: null };
    handle.setPointerCapture(event.pointerId);
  });
  root.addEventListener("pointermove", (event) => { if (drag) move(event); });
  root.addEventListener("pointerup", () => { if (drag) drop(); });
  root.addEventListener("pointercancel", () => { if (drag) end(); });
  document.addEventListener("keydown", (event) => {
    if (!drag || event.key !== "Escape") return;
    event.preventDefault();
    end();
  });
}
