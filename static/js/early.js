/**
 * What is pressed before the page's scripts run is pressed again when they do.
 *
 * Buttons are on the screen as soon as the page is drawn, and modules run only after all of them have been loaded: on a
 * slow line that takes seconds, in which a press would be lost, and a form that only a script can send would reload the
 * page without what was typed. This one is no module and stands in the head, so it listens before there is a button.
 */
(() => {
  const pressed = new Map();
  const keep = (event, element, press) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    pressed.set(element, press);
  };
  const onClick = (event) => {
    const button = event.target.closest('button[type="button"]:not([popovertarget])');
    if (button) keep(event, button, () => button.click());
  };
  const onSubmit = (event) => {
    const { target: form, submitter } = event;
    if (!form.hasAttribute("method")) keep(event, form, () => form.requestSubmit(submitter));
  };
  addEventListener("click", onClick, { capture: true });
  addEventListener("submit", onSubmit, { capture: true });
  // Modules have run by then; a moment later so have the listeners of this very event.
  addEventListener("DOMContentLoaded", () => setTimeout(() => {
    removeEventListener("click", onClick, { capture: true });
    removeEventListener("submit", onSubmit, { capture: true });
    for (const press of pressed.values()) press();
  }));
})();
