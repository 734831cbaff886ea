// What an item has to do with others: the calls that made it, its family, what is like it.

import { h } from "./dom.js";
import { between, money, number, plural, words } from "./format.js";
import { revealed } from "./text.js";

const ROLES = { system: "system", user: "sent", assistant: "answered" };

export function conversation(found) {
  if (found.problem) return [h("p", { class: "problem" }, found.problem), h("p", { class: "muted" }, "The conversation is read from the run's journal.")];
  const total = found.total;
  const parts = [h("p", { class: "sum" },
    `${plural(found.calls.length, "call")} · ${number(total.prompt_tokens)} tokens sent`
    + `${total.cached_tokens ? ` (${number(total.cached_tokens)} from the cache)` : ""} · ${number(total.completion_tokens)} tokens answered · ${money(total.dollars)}`)];
  if (found.missing) parts.push(h("p", { class: "problem" }, `${plural(found.missing, "call")} of this item not in the journal.`));
  return [...parts, ...found.calls.map(call_of)];
}

function call_of(call, place) {
  const usage = call.usage;
  const facts = [
    call.model,
    usage ? `${number(usage.prompt_tokens)} → ${number(usage.completion_tokens)} tokens${usage.reported ? "" : " (a bound)"}` : "",
    usage ? money(usage.picodollars === null ? null : usage.picodollars / 1e12) : "",
    between(call.asked_at, call.settled_at),
    `temperature ${call.sampling.temperature}`,
    call.draw ? `draw ${call.draw}` : "",
    call.sent > 1 ? `sent ${call.sent} times` : "",
  ].filter(Boolean);
  const past = call.messages.slice(0, call.repeated);
  const fresh = call.messages.slice(call.repeated);
  return h("section", { class: "call" },
    h("header", {}, h("h3", {}, `Call ${place + 1}`), h("span", { class: "muted" }, facts.join(" · "))),
    past.length ? h("details", { class: "past" }, h("summary", {}, `sent again: the ${plural(past.length, "turn")} so far`), ...past.map((message) => turn(message.role, message.text))) : null,
    ...fresh.map((message) => turn(message.role, message.text)),
    call.answer === null
      ? h("p", { class: "problem" }, "Sent, and not answered yet, or lost.")
      : turn("assistant", call.answer, call.finish === "stop" ? "" : call.finish),
    call.note && call.note !== call.answer ? h("p", { class: "muted" }, `The server said: ${call.note}`) : null);
}

const LONG = 1400;

function turn(role, text, finish = "") {
  const body = h("div", { class: "source", dir: "auto" }, ...revealed(text));
  const made = h("div", { class: `turn ${role}` }, h("span", { class: "role" }, ROLES[role] ?? role, finish ? h("b", { class: "finish" }, finish) : null), body);
  if (text.length > LONG) {
    made.classList.add("folded");
    const button = h("button", { type: "button", class: "small", "aria-expanded": "false", onclick: () => {
      const folded = made.classList.toggle("folded");
      button.textContent = folded ? `Show all ${number(text.length)} characters` : "Show less";
      button.setAttribute("aria-expanded", String(!folded));
    } }, `Show all ${number(text.length)} characters`);
    made.append(button);
  }
  return made;
}

export function lineage(found, { item, open, filter }) {
  const self = h("div", { class: "node self" }, h("span", { class: "kind" }, "this item"), h("span", { class: "words", dir: "auto" }, item.texts.instruction.slice(0, 240)));
  const parts = [];
  if (found.ancestors.length) parts.push(h("section", {}, h("h3", {}, "Grown from"), tree(found.ancestors, open)));
  else if (item.skills.length) {
    parts.push(h("section", {}, h("h3", {}, "Grown from"), h("p", { class: "muted" }, `The skills and the query type of mix ${number(item.round)}, drawn by the recipe; no other instruction.`),
      h("div", { class: "facts" }, ...item.skills.map((skill) => h("button", { type: "button", class: "fact", onclick: () => filter("skill", skill) }, words(skill))),
        item.query_type ? h("button", { type: "button", class: "fact", onclick: () => filter("query_type", item.query_type) }, item.query_type) : null)));
  } else parts.push(h("section", {}, h("h3", {}, "Grown from"), h("p", { class: "muted" }, "No parents are recorded.")));
  parts.push(h("section", {}, h("h3", {}, "This item"), self));
  if (found.children.length) parts.push(h("section", {}, h("h3", {}, `Children (${number(found.children.length)})`), tree(found.children, open)));
  if (found.siblings.length) parts.push(h("section", {}, h("h3", {}, `Siblings (${number(found.siblings.length)})`), h("p", { class: "muted" }, "What else came of the same parents, or of the same mix."), tree(found.siblings, open)));
  return parts;
}

const KINDS = { pool: "in the pool", seed: "seed", unknown: "outside of this run" };

function tree(nodes, open) {
  return h("ul", { class: "tree" }, ...nodes.map((node) => h("li", {}, node_of(node, open), node.parents.length ? tree(node.parents, open) : null)));
}

function node_of(node, open) {
  const kind = KINDS[node.kind] ?? (node.kind === "drop" ? `dropped: ${words(node.reason)}` : words(node.step) || "example");
  const inside = [h("span", { class: `kind ${node.kind}` }, kind, node.draw ? ` · draw ${node.draw}` : ""), h("span", { class: "words", dir: "auto" }, node.text || `instruction ${node.id}`)];
  return node.key
    ? h("button", { type: "button", class: "node", onclick: () => open(node.key, node.kind === "drop" ? "drops" : "examples") }, ...inside)
    : h("div", { class: "node" }, ...inside);
}

export function neighbours(found, { open }) {
  if (!found.length) return [h("p", { class: "muted" }, "There is no other instruction yet.")];
  return [
    h("p", { class: "muted" }, "The most similar other instructions of this run by exact ROUGE-L F1, the measure of Self-Instruct's novelty filter. Over 0.7 that filter drops one of the two."),
    h("ol", { class: "near" }, ...found.map((node) => h("li", {},
      h("button", { type: "button", class: "node", onclick: () => open(node.key, "examples") },
        h("span", { class: "bar" }, h("meter", { min: "0", max: "1", value: String(node.score), "aria-label": "ROUGE-L F1" }), h("b", {}, node.score.toFixed(2))),
        h("span", { class: "words", dir: "auto" }, node.text))))),
  ];
}
