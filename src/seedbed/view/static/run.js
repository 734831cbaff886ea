// The run as a whole: how far it is, what it cost, what it dropped, what people say of it.

import { get } from "./api.js";
import { h } from "./dom.js";
import { duration, money, number, percent, plural, short, when, words } from "./format.js";

export async function run_view(run, { open, show_reason }) {
  const [agreement, examples, drops] = await Promise.all([
    get("/api/agreement"),
    get("/api/items", "side=examples&sort=order&way=down"),
    get("/api/items", "side=drops&sort=order&way=down"),
  ]);
  return h("div", { class: "run" },
    head(run),
    h("div", { class: "cards" }, counts(run), spending(run), by_hand(agreement)),
    h("div", { class: "columns" },
      dropped(run, show_reason),
      newest(run.live ? "Newest accepted" : "Last accepted", examples.items, (key) => open(key, "examples")),
      newest(run.live ? "Newest dropped" : "Last dropped", drops.items, (key) => open(key, "drops"))),
    stages(run), notes(run), config(run));
}

function head(run) {
  const manifest = run.manifest;
  const said = run.cut_off ? `cut off: no sign of it for ${duration(run.silence)}` : run.live ? "running" : manifest.status;
  return h("header", { class: "run-head" },
    h("h2", {}, run.name, h("span", { class: `status ${run.live ? "running" : run.cut_off ? "cut-off" : manifest.status}` }, said)),
    h("p", { class: "muted" }, `${words(manifest.recipe)} with ${manifest.teacher}${manifest.judge ? `, judged by ${manifest.judge}` : ""} · seed ${manifest.seed} · seedbed ${manifest.seedbed} · ${run.folder}`),
    progress(run));
}

function progress(run) {
  const now = run.manifest.progress;
  if (!now || !run.live) return null;
  const known = now.wanted ? now.reached / now.wanted : now.calls_expected ? Math.min(1, now.calls / now.calls_expected) : 0;
  const rate = run.rates;
  const left = rate && now.wanted && rate.kept > 0 && now.reached === now.kept ? (now.wanted - now.reached) / rate.kept * 60 : null;
  return h("div", { class: "progress" },
    h("progress", { max: "1", value: String(known), "aria-label": "Progress" }),
    h("p", {}, [
      now.wanted ? `${number(now.reached)} of ${number(now.wanted)}` : `${number(now.kept)} kept`,
      now.stage ? `in ${words(now.stage)}` : "",
      rate ? `${number(Math.round(rate.kept))} kept a minute` : "",
      rate ? `${number(Math.round(rate.paid))} calls a minute` : "",
      rate && rate.dollars ? `${money(rate.dollars)} a minute` : "",
      left ? `about ${duration(left)} left` : "",
    ].filter(Boolean).join(" · ")));
}

function card(title, value, ...rows) {
  return h("section", { class: "card" }, h("h3", {}, title), h("p", { class: "big" }, value), ...rows.filter(Boolean).map((row) => h("p", { class: "muted" }, row)));
}

function counts(run) {
  const { counts: made, progress: now } = run.manifest;
  const kept = now && run.live ? now.kept : made.kept;
  const dropped_count = now && run.live ? now.dropped : made.dropped;
  const all = kept + dropped_count;
  return card("Kept", number(kept),
    made.wanted ? `of ${number(made.wanted)} asked for` : null,
    `${number(dropped_count)} dropped${all ? `, ${percent(dropped_count / all)} of what was written` : ""}`,
    made.repaired ? `${number(made.repaired)} mended by filters` : null,
    made.instructions !== undefined ? `${number(made.instructions)} new instructions` : null);
}

function spending(run) {
  const spend = run.manifest.spend;
  const forecast = Object.values(run.manifest.forecast);
  const known = forecast.length && forecast.every((stage) => stage.dollars);
  const low = known ? forecast.reduce((sum, stage) => sum + stage.dollars[0], 0) : 0;
  const high = known ? forecast.reduce((sum, stage) => sum + stage.dollars[1], 0) : 0;
  const priced = Object.values(run.manifest.stages).every((stage) => stage.dollars !== null);
  return card("Spent", priced || spend.dollars ? money(spend.dollars) : "no price known",
    known ? `forecast ${money(low)} to ${money(high)}` : "no price was known for a forecast",
    `${number(spend.calls)} calls, ${short(spend.tokens)} tokens`,
    spend.doubtful_calls ? `${plural(spend.doubtful_calls, "call")} lost on the way, up to ${money(spend.doubtful_dollars)}` : null);
}

function by_hand(agreement) {
  const { run, judge } = agreement;
  const told = (name, cells) => cells && cells.n ? `agrees with ${name} on ${percent(cells.share)} of ${number(cells.n)}${cells.kappa === null ? "" : `, κ ${cells.kappa.toFixed(2)}`}` : null;
  const decided = agreement.accepted + agreement.rejected + agreement.drops;
  return card("By hand", decided ? plural(decided, "decision") : "none yet",
    decided ? `${number(agreement.accepted)} accepted, ${number(agreement.rejected)} rejected, ${number(agreement.edited)} edited` : "Open an example and press a, x or e.",
    agreement.drops ? `${plural(agreement.drops, "drop")} looked at: ${agreement.reasons.map(([reason, seen, right]) => `${words(reason)} ${right}/${seen} right`).join(", ")}` : null,
    told("the run", run), told("the judge", judge));
}

function dropped(run, show_reason) {
  const reasons = Object.entries((run.live && run.manifest.progress?.drops) || run.manifest.drops);
  const most = Math.max(1, ...reasons.map(([, count]) => count));
  return h("section", { class: "panel" }, h("h3", {}, "Dropped for"),
    reasons.length ? h("ul", { class: "bars" }, ...reasons.map(([reason, count]) => h("li", {},
      h("button", { type: "button", onclick: () => show_reason(reason) },
        h("span", { class: "label" }, words(reason)), h("meter", { min: "0", max: String(most), value: String(count), "aria-hidden": "true" }), h("span", { class: "count" }, number(count)))))) : h("p", { class: "muted" }, "Nothing was dropped."));
}

function newest(title, items, open) {
  return h("section", { class: "panel" }, h("h3", {}, title),
    items.length ? h("ul", { class: "newest" }, ...items.slice(0, 6).map((item) => h("li", {}, h("button", { type: "button", onclick: () => open(item.key) },
      h("span", { class: "words", dir: "auto" }, item.excerpt || "(nothing)"), h("span", { class: "muted" }, words(item.reason) || item.query_type || words(item.step)))))) : h("p", { class: "muted" }, "None yet."));
}

function stages(run) {
  const rows = Object.entries(run.manifest.stages);
  if (!rows.length) return null;
  const range = (pair, shown) => (pair ? `${shown(pair[0])} – ${shown(pair[1])}` : "–");
  return h("section", { class: "panel" }, h("h3", {}, "Stages, forecast and actual"),
    h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Stages" }, h("table", {},
      h("thead", {}, h("tr", {}, ...["stage", "calls", "forecast", "tokens in", "forecast", "tokens out", "forecast", "spent", "forecast"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows.map(([name, stage]) => {
        const expected = run.manifest.forecast[name] ?? {};
        return h("tr", {}, h("th", { scope: "row" }, words(name)),
          h("td", {}, number(stage.calls)), h("td", { class: "muted" }, range(expected.calls, short)),
          h("td", {}, short(stage.prompt_tokens)), h("td", { class: "muted" }, range(expected.prompt_tokens, short)),
          h("td", {}, short(stage.completion_tokens)), h("td", { class: "muted" }, range(expected.completion_tokens, short)),
          h("td", {}, money(stage.dollars)), h("td", { class: "muted" }, range(expected.dollars, money)));
      })))));
}

function notes(run) {
  const sessions = run.manifest.sessions.map((one) => `${when(one.started)}: ${one.status}, ${plural(one.paid, "call")} paid, ${number(one.replayed)} from the journal`);
  return h("section", { class: "panel" }, h("h3", {}, "Sessions and notes"), h("ul", { class: "plain" }, ...[...sessions, ...run.manifest.notes].map((text) => h("li", {}, text))));
}

function config(run) {
  return run.config ? h("details", { class: "panel" }, h("summary", {}, "config.toml"), h("pre", { tabindex: "0" }, run.config)) : null;
}
