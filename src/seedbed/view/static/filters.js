// What the list is narrowed to: facets with counts, ranges of length.

import { h } from "./dom.js";
import { number, words } from "./format.js";

const FACETS = [
  ["query_type", "Query type"],
  ["recipe", "Recipe"],
  ["step", "Step"],
  ["kind", "How far it came"],
];

const JUDGED = [["open", "not judged"], ["accept", "accepted"], ["reject", "rejected"], ["edit", "edited"]];

const FEW = 8;

const opened = new Set();

// The panel; `change(filters, skills)` is told what it shall be.
export function panel(state, facets, change) {
  const values = facets?.values ?? {};
  const set = (name, value) => {
    const filters = { ...state.filters };
    if (value) filters[name] = value;
    else delete filters[name];
    change(filters, state.skills);
  };
  const sections = [];
  if (state.side === "drops") sections.push(facet("reason", "Reason", values.reason, state.filters.reason, set));
  for (const [name, title] of FACETS) {
    const known = values[name] ?? [];
    if (known.length > 1 || state.filters[name]) sections.push(facet(name, title, known, state.filters[name], set));
    if (name === "query_type") sections.push(skills(state, values.skill ?? [], change));
  }
  sections.push(judged(state, facets, set), lengths(state, set));
  if (facets?.repaired || state.filters.repaired) sections.push(repaired(state, facets, set));
  return sections.filter(Boolean);
}

function section(title, ...children) {
  return h("section", { class: "facet" }, h("h3", {}, title), ...children);
}

function option(label, count, on, toggle) {
  return h("button", { type: "button", class: "option", "aria-pressed": String(on), onclick: toggle },
    h("span", { class: "label", dir: "auto" }, label), h("span", { class: "count" }, number(count ?? 0)));
}

function facet(name, title, values = [], selected, set) {
  const counts = new Map(values);
  if (selected && !counts.has(selected)) counts.set(selected, 0);
  const all = [...counts];
  const shown = opened.has(name) ? all : all.filter(([value], place) => place < FEW || value === selected);
  return section(title,
    shown.map(([value, count]) => option(words(value), count, value === selected,
      () => set(name, value === selected ? "" : value))),
    more(name, all.length - shown.length, () => set(name, selected)));
}

function more(name, hidden, redraw) {
  if (!hidden && !opened.has(name)) return null;
  const toggle = () => {
    if (!opened.delete(name)) opened.add(name);
    redraw();
  };
  return h("button", { type: "button", class: "more", onclick: toggle }, opened.has(name) ? "fewer" : `${hidden} more`);
}

function skills(state, values, change) {
  if (!values.length && !state.skills.length) return null;
  const counts = new Map([...state.skills.map((name) => [name, 0]), ...values]);
  const all = [...counts];
  const shown = opened.has("skill") ? all : all.filter(([name], place) => place < FEW || state.skills.includes(name));
  const toggle = (name) => change(state.filters, state.skills.includes(name)
    ? state.skills.filter((other) => other !== name) : [...state.skills, name]);
  return section("Skills",
    shown.map(([name, count]) => option(words(name), count, state.skills.includes(name), () => toggle(name))),
    more("skill", all.length - shown.length, () => change(state.filters, state.skills)));
}

function judged(state, facets, set) {
  const counts = facets?.judged ?? {};
  const shown = JUDGED.filter(([name]) => name === "open" || counts[name] || state.filters.judged === name);
  return section("By hand", shown.map(([name, label]) => option(label, counts[name], state.filters.judged === name,
    () => set("judged", state.filters.judged === name ? "" : name))));
}

function repaired(state, facets, set) {
  const on = Boolean(state.filters.repaired);
  return section("Repairs", option("mended by filters", facets?.repaired, on, () => set("repaired", on ? "" : "1")));
}

function lengths(state, set) {
  const field = (name, label) => h("input", {
    type: "number", min: "0", step: "1", inputmode: "numeric", "aria-label": label, placeholder: name.endsWith("low") ? "from" : "to",
    value: state.filters[name] ?? "",
    onchange: (event) => set(name, event.target.value && event.target.checkValidity() ? event.target.value : ""),
  });
  const row = (name, title) => h("div", { class: "range" }, h("span", {}, title),
    field(`${name}_low`, `Shortest ${name}, in characters`), h("span", { "aria-hidden": "true" }, "–"),
    field(`${name}_high`, `Longest ${name}, in characters`));
  return section("Length in characters", row("instruction", "instruction"),
    state.side === "examples" ? row("response", "response") : null);
}

const NAMES = {
  search: "search", query_type: "type", recipe: "recipe", step: "step", reason: "reason", kind: "kind", judged: "by hand",
  repaired: "repaired", instruction_low: "instruction ≥", instruction_high: "instruction ≤",
  response_low: "response ≥", response_high: "response ≤",
};

// What is on, each to be taken away by itself.
export function chips(state, change) {
  const chip = (label, value, remove) => h("button", { type: "button", class: "chip", onclick: remove, "aria-label": `Remove ${label} ${value}` },
    h("span", {}, label), h("b", { dir: "auto" }, value), h("span", { "aria-hidden": "true" }, "×"));
  const without = (name) => {
    const { [name]: _, ...rest } = state.filters;
    change(rest, state.skills);
  };
  const made = [
    ...Object.entries(state.filters).filter(([name]) => name !== "search").map(([name, value]) => chip(NAMES[name], name === "repaired" ? "yes" : words(value), () => without(name))),
    ...state.skills.map((skill) => chip("skill", words(skill), () => change(state.filters, state.skills.filter((other) => other !== skill)))),
  ];
  if (made.length > 1) made.push(h("button", { type: "button", class: "chip clear", onclick: () => change(state.filters.search ? { search: state.filters.search } : {}, []) }, "clear all"));
  return made;
}
