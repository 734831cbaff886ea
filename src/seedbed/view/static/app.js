// The page: what the address says is what is shown.

import { get } from "./api.js";
import { byId, dialog, h, toast } from "./dom.js";
import { detail, TABS, toggle_source } from "./detail.js";
import { chips, panel } from "./filters.js";
import { number, plural, words } from "./format.js";
import { ask_edit, ask_reason, bar, decide } from "./judge.js";
import { follow, told } from "./follow.js";
import { help, listen } from "./keyboard.js";
import { List } from "./list.js";
import { run_view } from "./run.js";
import { turn_colours } from "./scheme.js";
import { filter_query, go, narrowed, read } from "./state.js";

const SORTS = [
  ["order:up", "oldest first"], ["order:down", "newest first"], ["instruction:up", "shortest instruction"], ["instruction:down", "longest instruction"],
  ["response:up", "shortest response"], ["response:down", "longest response"], ["similarity:down", "most like another"], ["similarity:up", "least like another"],
];

let state = read();
let run = null;
let facets = null;
let item = null;
let last_decided = "";
let asked = 0;
let typed = 0;
let counted = "";
let showing = Promise.resolve();

const main = byId("main");
const list = new List((key) => open(key));
const search = h("input", { type: "search", id: "search", placeholder: "Search words, \"phrases\", -without", "aria-label": "Search", autocomplete: "off", spellcheck: "false" });
const sort = h("select", { id: "sort", "aria-label": "Sort by", onchange: () => { const at = sort.value.lastIndexOf(":"); change({ sort: sort.value.slice(0, at), way: sort.value.slice(at + 1), item: "" }); } });
const found = h("p", { class: "found", role: "status" });
const chip_row = h("div", { class: "chips" });
const fresh = h("button", { type: "button", class: "fresh", hidden: true, onclick: () => reload() });
const filters_button = h("button", { type: "button", class: "small filters-button", onclick: () => filters_dialog() }, "Filters");
const side_panel = h("aside", { class: "side", "aria-label": "Filters" });
const reader = h("article", { class: "reader", "aria-labelledby": "item-title" });
const browser = h("div", { class: "browse" }, side_panel,
  h("section", { class: "listing", "aria-label": "List" },
    h("div", { class: "list-head" }, h("div", { class: "search-row" }, search, filters_button), h("div", { class: "sort-row" }, found, sort), chip_row, fresh),
    h("div", { class: "scroller" }, list.element, list.end)),
  reader);

// -- moving about ---------------------------------------------------------------------------------

function change(changes, { push = true } = {}) {
  state = { ...state, ...changes };
  go(state, { push });
  show();
}

function open(key, side = state.side) {
  if (side === state.side) {
    list.mark(key);
    change({ item: key }, { push: !state.item });
  }
  else change({ side, item: key, filters: {}, skills: [], sort: "order", way: "up", tab: "" });
}

const narrow = (filters, skills) => change({ filters, skills, item: "" });

function filter(name, value) {
  if (name === "skill") narrow(state.filters, [...new Set([...state.skills, value])]);
  else narrow({ ...state.filters, [name]: value }, state.skills);
}

// Steps and decisions are made one after the other, however quick the keys come, so that each is
// about the item that the one before it led to.
let doing = Promise.resolve();
const queue = (work) => (doing = doing.then(work).catch((error) => toast(error.message, { bad: true })));
const step = (count) => queue(() => take_step(count));

async function take_step(count) {
  if (state.side === "run") return;
  const key = await list.step(count);
  if (key && key !== state.item) open(key);
  else if (key) toast(count > 0 ? "The last one." : "The first one.");
}

// In the list the arrows move as j and k do, and the focus goes along; elsewhere they scroll.
async function arrow(count) {
  await step(count);
  list.find(state.item)?.firstElementChild.focus();
}

// -- showing --------------------------------------------------------------------------------------

function show() {
  showing = show_state();
  return showing;
}

async function show_state() {
  const turn = (asked += 1);
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.dataset.side === state.side) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.side = state.side;
  document.body.classList.toggle("reading", Boolean(state.item) && state.side !== "run");
  try {
    if (state.side === "run") await show_run(turn);
    else await show_browser(turn);
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message, { bad: true });
  }
}

async function show_run(turn) {
  const made = await run_view(run, { open, show_reason: (reason) => change({ side: "drops", filters: { reason }, skills: [], item: "", sort: "order", way: "up" }) });
  if (turn !== asked) return;
  const there = main.querySelector(".run");
  if (!there?.contains(document.activeElement)) main.replaceChildren(made);
  else for (const part of [".run-head", ".cards"]) there.querySelector(part).replaceWith(made.querySelector(part)); // the focus stays
}

async function show_browser(turn) {
  if (!browser.isConnected) main.replaceChildren(browser);
  if (document.activeElement !== search && !typed) search.value = state.filters.search ?? "";
  draw_sorts();
  draw_filters();
  const same = counted === filter_query(state).toString();
  await Promise.all([list.show(state), same ? null : count(), show_item(turn)]);
  list.mark(state.item);
}

async function count() {
  const query = filter_query(state);
  const made = await get("/api/facets", query);
  if (query.toString() !== filter_query(state).toString()) return;
  counted = query.toString();
  facets = made;
  draw_filters();
}

function draw_filters() {
  const mine = counted.startsWith(`side=${state.side}`) ? facets : null;
  side_panel.replaceChildren(...panel(state, mine, narrow));
  chip_row.replaceChildren(...chips(state, narrow));
  const on = narrowed(state) - (state.filters.search ? 1 : 0);
  filters_button.textContent = on ? `Filters (${on})` : "Filters";
  if (mine) found.textContent = plural(mine.total, state.side === "drops" ? "drop" : "example");
}

function draw_sorts() {
  const known = state.side === "drops" ? SORTS.filter(([value]) => !/response|similarity/.test(value)) : SORTS;
  const scores = (run?.scores ?? []).filter((name) => name.startsWith("evidence") === (state.side === "drops"));
  const all = [...known, ...scores.flatMap((name) => [[`score:${name}:down`, `${name}, high first`], [`score:${name}:up`, `${name}, low first`]])];
  sort.replaceChildren(...all.map(([value, label]) => h("option", { value }, words(label))));
  sort.value = `${state.sort}:${state.way}`;
}

async function show_item(turn, { full = false } = {}) {
  if (!state.item) {
    item = null;
    reader.replaceChildren(h("div", { class: "nothing" }, h("p", {}, "Choose an item, or press "), h("kbd", {}, "j")));
    return;
  }
  if (item?.key !== state.item || full) {
    const made = await get(`/api/items/${encodeURIComponent(state.item)}`, full ? "full=1" : "").catch((error) => error);
    if (turn !== asked) return;
    if (made instanceof Error) {
      item = null;
      reader.replaceChildren(h("p", { class: "problem" }, made.message, " ", made.hint ?? ""));
      return;
    }
    item = made;
  }
  draw_item();
}

function draw_item() {
  const known = TABS.some(([name]) => name === state.tab) && !(item.dropped && state.tab === "neighbours");
  const top = reader.querySelector(".tab-body")?.scrollTop ?? 0;
  const same = reader.dataset.key === item.key;
  reader.dataset.key = item.key;
  reader.replaceChildren(
    h("button", { type: "button", class: "back", onclick: () => change({ item: "" }) }, "← Back to the list"),
    ...detail(item, {
      tab: known ? state.tab : "text", terms: list.terms, open, filter,
      turn: (tab) => { change({ tab: tab === "text" ? "" : tab }, { push: false }); },
      redraw: (options = {}) => (options.full ? show_item(asked, options) : draw_item()),
      bar: bar(item, { accept, reject, edit, undo, step }),
    }));
  if (same) reader.querySelector(".tab-body").scrollTop = top;
  reader.querySelector("[aria-selected=true]").scrollIntoView({ inline: "nearest", block: "nearest" });
}

function filters_dialog() {
  if (getComputedStyle(filters_button).display === "none") return;
  const body = h("div", { class: "side in-dialog" });
  const draw = () => body.replaceChildren(...panel(state, facets, (filters, skills) => { narrow(filters, skills); draw(); showing.then(draw); }));
  draw();
  const made = dialog("Filters", body, h("div", { class: "ends" }, h("button", { type: "button", class: "primary", onclick: () => made.close() }, "Show")));
}

// -- judging --------------------------------------------------------------------------------------

async function keep(key, verdict, settings, said) {
  try {
    const decision = await decide(key, verdict, settings);
    last_decided = verdict === "none" ? "" : key;
    list.judged(key, verdict === "none" ? "" : verdict, Object.keys(decision.edit).length > 0);
    item = null;
    toast(said);
    count().catch(() => {});
    return true;
  } catch (error) {
    toast(`${error.message} ${error.hint ?? ""}`, { bad: true });
    return false;
  }
}

async function on_to_next(key) {
  const next = await list.step(1);
  if (next && next !== key) open(next);
  else show();
}

// The item that is in sight; none while there is no answer about it.
async function present() {
  if (item?.key !== state.item) await showing;
  return item?.key === state.item ? item : null;
}

const accept = () => queue(async () => {
  const one = await present();
  if (!one) return;
  const { key, dropped, decision } = one;
  const settings = { edit: decision?.edit ?? {} };
  if (await keep(key, "accept", settings, dropped ? "Noted: it should be kept." : "Accepted. u takes it back.")) await on_to_next(key);
});

const reject = () => queue(async () => {
  const one = await present();
  if (!one) return;
  const { key, dropped, decision } = one;
  const reason = await ask_reason(one);
  if (reason === null) return;
  const settings = { reason, edit: decision?.edit ?? {} };
  if (await keep(key, "reject", settings, dropped ? "Noted: rightly dropped." : "Rejected. u takes it back.")) await on_to_next(key);
});

const edit = () => queue(async () => {
  let one = await present();
  if (!one || one.dropped) return;
  const in_part = Object.keys(one.texts).some((name) => one.texts[name].length < one.chars[name]);
  if (in_part) one = await get(`/api/items/${encodeURIComponent(one.key)}`, "full=1");
  const texts = await ask_edit(one);
  if (texts && await keep(one.key, "accept", { edit: texts, reason: one.decision?.reason ?? "" }, "Saved. u takes it back.")) show();
});

const undo = () => queue(async () => {
  const one = await present();
  const key = one?.decision ? one.key : last_decided;
  if (!key) { toast("There is no decision to take back."); return; }
  if (!await keep(key, "none", {}, "Taken back.")) return;
  if (key !== state.item) open(key);
  else show();
});

// -- following the run ----------------------------------------------------------------------------

async function reload() {
  fresh.hidden = true;
  await list.show(state, { again: true }).catch((error) => toast(error.message, { bad: true }));
  list.mark(state.item);
  count().catch(() => {});
}

async function changed(before) {
  const counted = (one) => `${one?.index.examples} ${one?.index.drops} ${one?.live}`;
  if (state.side === "run") {
    if (run.live || counted(before) !== counted(run)) await show_run(asked);
    return;
  }
  if (!before || run.index.version === before.index.version) return;
  const more = run.index[state.side] - before.index[state.side];
  if (more === 0) return;
  count().catch(() => {});
  const resting = !state.item && list.element.parentElement.scrollTop < 40;
  if (list.items.length < 50 || resting || more < 0) {
    await reload();
    return;
  }
  const sum = (fresh.hidden ? 0 : Number(fresh.dataset.count)) + more;
  fresh.dataset.count = String(sum);
  fresh.textContent = `${number(sum)} new · show`;
  fresh.hidden = false;
}

// -- beginning ------------------------------------------------------------------------------------

search.addEventListener("input", () => {
  clearTimeout(typed);
  const text = search.value.trim();
  typed = setTimeout(() => {
    typed = 0;
    const { search: _, ...rest } = state.filters;
    change({ filters: text ? { ...rest, search: text } : rest, item: "" }, { push: false });
  }, 180);
});

const side = (name) => () => change({ side: name, filters: {}, skills: [], item: "", sort: "order", way: "up", tab: "" });
for (const link of document.querySelectorAll(".tabs a")) link.addEventListener("click", (event) => { event.preventDefault(); side(link.dataset.side)(); });
byId("theme").addEventListener("click", turn_colours);
byId("help").addEventListener("click", help);
addEventListener("popstate", () => { state = read(); state.side ||= "examples"; show(); });

const tab_keys = Object.fromEntries(TABS.map(([name], place) => [String(place + 1), () => { if (state.item) change({ tab: name === "text" ? "" : name }, { push: false }); }])); // also while it is fetched
listen({
  j: () => step(1), k: () => step(-1), ArrowDown: () => arrow(1), ArrowUp: () => arrow(-1), a: accept, x: reject, e: edit, u: undo, t: turn_colours, "?": help, f: filters_dialog,
  "/": () => { if (state.side === "run") side("examples")(); search.focus(); search.select(); }, // at once: the next key is part of the search
  m: () => { if (item) { toggle_source(); draw_item(); } },
  Escape: () => { if (state.item) change({ item: "" }); },
  ...tab_keys,
}, { e: side("examples"), d: side("drops"), r: side("run") });

run = await get("/api/run").catch((error) => { toast(error.message, { bad: true }); return null; });
if (run) {
  told(run);
  if (!state.side) state.side = run.live ? "run" : "examples";
  go(state, { push: false });
  await show();
  follow(async (now) => {
    const before = run;
    run = now;
    await changed(before);
  });
}
