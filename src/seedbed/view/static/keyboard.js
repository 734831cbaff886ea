// Keys for all of the page, and the list of them.

import { dialog, h } from "./dom.js";

const KEYS = [
  ["j", "next item"], ["k", "previous item"], ["a", "accept"], ["x", "reject, with a reason"], ["e", "edit"], ["u", "take the last decision back"],
  ["m", "Markdown or its source"], ["1 … 5", "text, conversation, lineage, neighbours, record"], ["/", "search"], ["f", "filters (on a narrow window)"],
  ["g e", "examples"], ["g d", "drops"], ["g r", "run"], ["t", "light or dark"], ["Esc", "back to the list"], ["?", "this help"],
];

export function help() {
  const made = dialog("Keyboard", h("dl", { class: "keys" }, ...KEYS.flatMap(([key, what]) => [h("dt", {}, ...key.split(" ").map((one) => (one === "…" ? " … " : h("kbd", {}, one)))), h("dd", {}, what)])),
    h("div", { class: "ends" }, h("button", { type: "button", class: "primary", onclick: () => made.close() }, "Close")));
}

const typing = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

// `actions` are functions by key; `go` those after a `g`.
export function listen(actions, go) {
  let waiting = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (typing(event.target)) {
      if (event.key === "Escape") {
        event.preventDefault(); // or a search field is emptied
        event.target.blur();
      }
      return;
    }
    const after_g = Date.now() - waiting < 1200;
    waiting = event.key === "g" && !after_g ? Date.now() : 0;
    const action = after_g ? go[event.key] : actions[event.key];
    if (!action || (event.key.startsWith("Arrow") && !event.target.closest?.(".items"))) return;
    event.preventDefault();
    action();
  });
}
