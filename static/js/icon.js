/** Icons in scripts: refers to the sprite that the page names in <meta name="icons">. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name an id of static/img/icons.svg
 * @param {string} [size] "s" for 16 px, else 20 px
 * @returns {SVGSVGElement}
 */
export function icon(name, size = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", size ? `i ${size}` : "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.querySelector('meta[name="icons"]')?.content ?? ""}#${name}`);
  svg.append(use);
  return svg;
}
