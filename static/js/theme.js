/** Light, dark or the system's own: written to a cookie, so that the server sends the right page at once. */

const YEAR = 31_536_000;

/** @param {""|"light"|"dark"} theme "" follows the system */
export function setTheme(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme || "system"}; path=/; max-age=${YEAR}; SameSite=Lax${secure}`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
  }
}

/** The theme in use, the system's answer resolved. */
export const currentTheme = () =>
  document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

export function startTheme() {
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-set-theme]");
    if (choice) setTheme(choice.dataset.setTheme);
  });
}
