// From light to dark and back, as a person wants it; remembered in this browser.

import { announce } from "./dom.js";

export function turn_colours() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("seedbed-theme", root.dataset.theme);
  announce(`${root.dataset.theme} colours`);
}
