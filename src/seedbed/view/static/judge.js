// Decisions by hand: the bar below an item, and its two dialogs.

import { post } from "./api.js";
import { dialog, h, toast } from "./dom.js";

const REASONS = ["wrong", "unclear", "does not need its skills", "too much like others", "badly written", "unsafe"];

export const decide = (key, verdict, { reason = "", edit = {} } = {}) =>
  post(`/api/items/${encodeURIComponent(key)}/decision`, { verdict, reason, edit });

export function bar(item, { accept, reject, edit, undo, step }) {
  const decided = item.decision?.verdict;
  const words = item.dropped
    ? { accept: "Wrong drop", reject: "Right drop" }
    : { accept: "Accept", reject: "Reject" };
  const button = (name, label, key, action, on) => h("button", {
    type: "button", class: `judge ${name}`, "aria-pressed": on === undefined ? undefined : String(on), "aria-keyshortcuts": key, onclick: action,
  }, h("span", {}, label), h("kbd", { "aria-hidden": "true" }, key));
  return h("footer", { class: "bar", role: "group", "aria-label": "Judge by hand" },
    button("accept", words.accept, "a", accept, decided === "accept"),
    button("reject", words.reject, "x", reject, decided === "reject"),
    item.dropped ? null : button("edit", "Edit", "e", edit, Object.keys(item.decision?.edit ?? {}).length > 0),
    decided ? button("undo", "Undo", "u", undo) : null,
    h("span", { class: "spring" }),
    button("step", "Previous", "k", () => step(-1)),
    button("step", "Next", "j", () => step(1)));
}

// Asks why; resolves to the reason, or to null where it was left.
export function ask_reason(item) {
  return new Promise((resolve) => {
    let reason = null;
    const field = h("input", { type: "text", id: "reason", maxlength: "2000", autocomplete: "off", value: item.decision?.reason ?? "" });
    const choose = (text) => { field.value = text; field.focus(); };
    const form = h("form", { method: "dialog", onsubmit: () => { reason = field.value; } },
      h("div", { class: "quick" }, ...REASONS.map((text, place) => h("button", { type: "button", class: "option", onclick: () => choose(text) }, h("kbd", {}, `Alt ${place + 1}`), text))),
      h("label", { for: "reason" }, "Reason (may be empty)"), field,
      h("div", { class: "ends" }, h("button", { type: "button", onclick: () => made.close() }, "Cancel"), h("button", { type: "submit", class: "primary" }, "Reject")));
    const made = dialog(item.dropped ? "Why was it right to drop it?" : "Why reject it?", form);
    made.addEventListener("keydown", (event) => {
      const place = Number(event.code?.replace("Digit", "")) - 1;
      if (event.altKey && REASONS[place]) { event.preventDefault(); choose(REASONS[place]); }
    });
    made.addEventListener("close", () => resolve(reason));
    field.focus();
    field.select();
  });
}

// An editor for the texts; resolves to them, or to null where it was left.
export function ask_edit(item) {
  return new Promise((resolve) => {
    let edited = null;
    const fields = ["instruction", "input", "response"].filter((name) => name !== "input" || item.texts.input || item.originals.input !== undefined);
    const areas = Object.fromEntries(fields.map((name) => [name, h("textarea", { id: `edit-${name}`, dir: "auto", spellcheck: "true", rows: name === "response" ? "12" : "6" })]));
    for (const name of fields) areas[name].value = item.texts[name];
    const save = () => {
      const texts = Object.fromEntries(fields.map((name) => [name, areas[name].value]));
      if (!texts.instruction.trim() || !texts.response.trim()) { toast("An example needs an instruction and a response.", { bad: true }); return; }
      edited = texts;
      made.close();
    };
    const form = h("form", { onsubmit: (event) => { event.preventDefault(); save(); } },
      ...fields.flatMap((name) => [h("label", { for: `edit-${name}` }, name[0].toUpperCase() + name.slice(1)), areas[name]]),
      h("p", { class: "muted" }, "What the run made stays as it is; the change is kept in decisions.jsonl and made by seedbed export. Ctrl + Enter saves."),
      h("div", { class: "ends" }, h("button", { type: "button", onclick: () => made.close() }, "Cancel"), h("button", { type: "submit", class: "primary" }, "Save and accept")));
    const made = dialog("Edit the example", form);
    made.classList.add("large");
    made.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); save(); } });
    made.addEventListener("close", () => resolve(edited));
    areas.instruction.focus();
  });
}
