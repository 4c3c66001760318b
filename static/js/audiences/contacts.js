/** The audience table: ticking rows, the bar that acts on them. Delegated, because the drawer swaps the board. */

const boxes = () => [...document.querySelectorAll('[data-bulk] input[name="ids"]')];

function show() {
  const bar = document.querySelector("[data-bulk-bar]");
  const all = document.querySelector("[data-bulk-all]");
  const ticked = boxes().filter((box) => box.checked).length;
  if (bar) {
    bar.hidden = ticked === 0;
    bar.querySelector("[data-bulk-count]").textContent = `${ticked} selected`;
  }
  if (all) {
    all.checked = ticked > 0 && ticked === boxes().length;
    all.indeterminate = ticked > 0 && ticked < boxes().length;
  }
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-bulk-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.closest("[data-bulk]")) show();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-bulk-clear]")) return;
  for (const box of boxes()) box.checked = false;
  show();
});
document.addEventListener("htmx:afterSwap", show);
window.addEventListener("pageshow", show);
show();
