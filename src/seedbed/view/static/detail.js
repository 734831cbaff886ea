// One item whole, in tabs that load when they are looked at.

import { get } from "./api.js";
import { h } from "./dom.js";
import { number, plural, score, words } from "./format.js";
import { rendered } from "./markdown.js";
import { conversation, lineage, neighbours } from "./relations.js";
import { mark_within, revealed } from "./text.js";

export const TABS = [
  ["text", "Text"],
  ["conversation", "Conversation"],
  ["lineage", "Lineage"],
  ["neighbours", "Neighbours"],
  ["record", "Record"],
];

let source = localStorage.getItem("seedbed-source") === "1";

export function toggle_source() {
  source = !source;
  localStorage.setItem("seedbed-source", source ? "1" : "0");
}

// `turn(tab)`, `open(key)`, `filter(name, value)` are what a person can do from here.
export function detail(item, { tab, terms, turn, open, filter, bar, redraw }) {
  const body = h("div", { class: "tab-body", id: "tab-body", role: "tabpanel", "aria-labelledby": `tab-${tab}`, tabindex: "0" });
  const tabs = h("div", { class: "item-tabs", role: "tablist", "aria-label": "Parts of the item", onkeydown: along },
    ...available(item).map(([name, title]) => h("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(name === tab), "aria-controls": "tab-body",
      tabindex: name === tab ? "0" : "-1", onclick: () => turn(name),
    }, title)));
  fill(body, item, { tab, terms, open, filter, redraw });
  return [
    h("header", { class: "item-head" },
      h("div", { class: "item-title" },
        h("h2", { id: "item-title", tabindex: "-1" }, item.dropped ? `Dropped: ${words(item.reason)}` : `Example ${number(item.line)}`),
        h("span", { class: "id" }, item.id || `line ${item.line} of drops.jsonl`)),
      h("div", { class: "facts" }, ...facts(item, filter)),
      tabs),
    body,
    bar,
  ];
}

const available = (item) => (item.dropped ? TABS.filter(([name]) => name !== "neighbours") : TABS);

function along(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = [...event.currentTarget.children];
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  next.click();
  document.getElementById(next.id)?.focus();
  event.preventDefault();
}

function facts(item, filter) {
  const fact = (name, value) => h("button", { type: "button", class: "fact", onclick: () => filter(name, value), title: "Show all of these" }, words(value));
  return [
    item.query_type ? fact("query_type", item.query_type) : null,
    ...item.skills.map((skill) => fact("skill", skill)),
    h("span", { class: "plain" }, `${words(item.recipe)} · ${words(item.step) || "no step"}`),
    item.similarity >= 0 ? h("span", { class: "plain", title: "ROUGE-L F1 with the most similar other instruction" }, `nearest F1 ${item.similarity.toFixed(2)}`) : null,
    item.repairs.length ? h("span", { class: "plain" }, item.repairs.map(words).join(", ")) : null,
  ].filter(Boolean);
}

async function fill(body, item, { tab, terms, open, filter, redraw }) {
  if (tab === "text") {
    body.replaceChildren(...texts(item, terms, redraw));
    return;
  }
  if (tab === "record") {
    body.replaceChildren(...record(item));
    return;
  }
  body.replaceChildren(h("p", { class: "muted" }, "Loading …"));
  body.setAttribute("aria-busy", "true");
  try {
    const found = await get(`/api/items/${encodeURIComponent(item.key)}/${tab}`);
    const made = { conversation, lineage, neighbours }[tab](found, { item, open, filter });
    body.replaceChildren(...made);
  } catch (error) {
    body.replaceChildren(h("p", { class: "problem" }, error.message));
  }
  body.removeAttribute("aria-busy");
}

function texts(item, terms, redraw) {
  const parts = [];
  if (item.dropped) parts.push(evidence(item));
  const note = item.decision?.reason;
  if (note) parts.push(h("p", { class: "hand" }, h("b", {}, "By hand: "), note));
  const labels = item.kind === "attempt" ? { instruction: "What was written" } : { instruction: "Instruction", input: "Input", response: "Response" };
  for (const [name, label] of Object.entries(labels)) {
    if (item.texts[name] || name !== "input") parts.push(block(item, name, label, terms, redraw));
  }
  return parts;
}

function block(item, name, label, terms, redraw) {
  const text = item.texts[name];
  const original = item.originals[name];
  const as_source = source || item.kind === "attempt" || item.markdown[name] === null;
  const body = as_source
    ? h("div", { class: "source", dir: "auto" }, ...revealed(text))
    : h("div", { class: "prose", dir: "auto" }, ...rendered(item.markdown[name]).flat());
  if (!text) body.append(h("span", { class: "muted" }, "(empty)"));
  mark_within(body, terms);
  const rest = item.chars[name] - text.length;
  return h("section", { class: `text ${name}` },
    h("header", {},
      h("h3", {}, label),
      original !== undefined ? h("span", { class: "badge" }, "edited by hand") : null,
      h("span", { class: "muted" }, plural(item.chars[name], "character")),
      name === "instruction" && item.kind !== "attempt" ? h("button", { type: "button", class: "small", "aria-pressed": String(source), onclick: () => { toggle_source(); redraw(); } }, "source") : null),
    body,
    rest > 0 ? h("button", { type: "button", class: "small", onclick: () => redraw({ full: true }) }, `Show the other ${number(rest)} characters`) : null,
    original !== undefined ? h("details", {}, h("summary", {}, "As the run made it"), h("div", { class: "source", dir: "auto" }, ...revealed(original))) : null);
}

function evidence(item) {
  return h("section", { class: "evidence" },
    h("h3", {}, `Why: ${words(item.reason)}`),
    table(Object.entries(item.evidence).map(([name, value]) => [words(name), typeof value === "number" ? score(value) : value || "–"])));
}

function record(item) {
  const rows = [
    ["id", item.id || "–"], ["instruction id", item.instruction_id || "–"],
    ["recipe", item.recipe], ["step", item.step], ["seed", String(item.seed)], ["round", String(item.round)], ["draw", String(item.draw)],
    ["query type", item.query_type || "–"], ["skills", item.skills.join(", ") || "–"], ["repairs", item.repairs.join(", ") || "–"],
    ["parents", item.parents.join(", ") || "–"], ["calls", number(item.calls)],
    ["stands in", `${item.dropped ? "drops" : "examples"}.jsonl, line ${number(item.line)}`],
  ];
  const verdicts = [
    ["the run", item.dropped ? `dropped it: ${words(item.reason)}` : "kept it"],
    item.judge ? ["the judge", item.judge] : null,
    ["by hand", item.decision ? `${item.decision.verdict}${item.decision.reason ? `: ${item.decision.reason}` : ""}` : "not judged"],
  ].filter(Boolean);
  const scores = item.scores.map(([name, value]) => [name, score(value)]);
  if (item.similarity >= 0) scores.unshift(["nearest other instruction, ROUGE-L F1", item.similarity.toFixed(4)]);
  return [
    h("section", {}, h("h3", {}, "Verdicts"), table(verdicts)),
    scores.length ? h("section", {}, h("h3", {}, "Scores"), table(scores)) : null,
    h("section", {}, h("h3", {}, "Origin"), table(rows)),
  ].filter(Boolean);
}

function table(rows) {
  return h("dl", { class: "pairs" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto" }, ...revealed(String(value)))]));
}
