// Elements made by name. A string given as a child becomes text, never markup: nothing in this page
// uses innerHTML, and the server forbids it (Trusted Types).

export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") element.className = value;
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

// For those who do not see what changed.
export function announce(text) {
  byId("announce").textContent = text;
}

let fading = 0;

export function toast(text, { bad = false } = {}) {
  const element = byId("toast");
  element.textContent = text;
  element.classList.toggle("bad", bad);
  element.hidden = false;
  announce(text);
  clearTimeout(fading);
  fading = setTimeout(() => { element.hidden = true; }, bad ? 8000 : 2600);
}

// A dialog that is taken out of the page when it closes, and gives the focus back.
export function dialog(title, ...children) {
  const before = document.activeElement;
  const element = h("dialog", { "aria-labelledby": "dialog-title", class: "dialog" },
    h("h2", { id: "dialog-title" }, title), ...children);
  element.addEventListener("close", () => {
    element.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  });
  element.addEventListener("click", (event) => { if (event.target === element) element.close(); });
  document.body.append(element);
  element.showModal();
  return element;
}
