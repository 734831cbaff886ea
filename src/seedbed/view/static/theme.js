// Light or dark: the system's choice, until a person makes one. It runs before anything is shown.
"use strict";
(() => {
  const chosen = localStorage.getItem("seedbed-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
