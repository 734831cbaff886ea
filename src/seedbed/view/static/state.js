// What the page shows stands in its address (after the #), so that it can be gone back to.

export const SIDES = ["examples", "drops", "run"];

export const FILTERS = [
  "search", "recipe", "step", "query_type", "reason", "kind", "judged", "repaired",
  "instruction_low", "instruction_high", "response_low", "response_high",
];

export function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const values = new URLSearchParams(query);
  return {
    side: SIDES.includes(path) ? path : "",
    item: values.get("item") ?? "",
    tab: values.get("tab") ?? "",
    sort: values.get("sort") ?? "order",
    way: values.get("way") === "down" ? "down" : "up",
    skills: values.getAll("skill"),
    filters: Object.fromEntries(FILTERS.filter((name) => values.get(name)).map((name) => [name, values.get(name)])),
  };
}

export function address(state) {
  const query = filter_query(state);
  query.delete("side");
  if (state.sort !== "order") query.set("sort", state.sort);
  if (state.way === "down") query.set("way", "down");
  if (state.item) query.set("item", state.item);
  if (state.item && state.tab) query.set("tab", state.tab);
  const text = query.toString();
  return `#/${state.side}${text ? `?${text}` : ""}`;
}

// `push`: a step that "back" undoes.
export function go(state, { push = true } = {}) {
  const next = address(state);
  if (next === location.hash) return;
  if (push) history.pushState(null, "", next);
  else history.replaceState(null, "", next);
}

export function filter_query(state) {
  const query = new URLSearchParams({ side: state.side, ...state.filters });
  for (const skill of state.skills) query.append("skill", skill);
  return query;
}

export function page_query(state, after) {
  const query = filter_query(state);
  query.set("sort", state.sort);
  query.set("way", state.way);
  if (after) query.set("after", after);
  return query;
}

// The filters and sort alone: a change of these makes another list.
export const list_key = (state) => page_query(state, "").toString();

export const narrowed = (state) => Object.keys(state.filters).length + state.skills.length;
