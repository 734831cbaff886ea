// The list of items: a page at a time, the one that is open marked.

import { get } from "./api.js";
import { announce, h } from "./dom.js";
import { number, score, short, words } from "./format.js";
import { list_key, page_query } from "./state.js";
import { marked } from "./text.js";

const MARKS = { accept: ["✓", "accepted"], reject: ["✕", "rejected"], edit: ["✎", "edited"] };

export class List {
  constructor(open) {
    this.open = open;
    this.items = [];
    this.terms = [];
    this.next = "";
    this.key = "";
    this.version = 0;
    this.element = h("ol", { class: "items", "aria-label": "Items" });
    this.end = h("div", { class: "end" });
    this.loading = null;
    this.watcher = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) this.more(); }, { rootMargin: "600px" });
    this.watcher.observe(this.end);
  }

  // Load the first page, unless it is there; `again` loads it in any case.
  async show(state, { again = false } = {}) {
    const key = list_key(state);
    if (key === this.key && !again) return;
    this.state = state;
    this.key = key;
    this.aborter?.abort();
    this.aborter = new AbortController();
    this.element.setAttribute("aria-busy", "true");
    const page = await get("/api/items", page_query(state), this.aborter.signal);
    this.items = [];
    this.element.replaceChildren();
    if (!again) this.element.parentElement?.scrollTo({ top: 0 });
    this.add(page);
    this.element.setAttribute("aria-busy", "false");
  }

  add(page) {
    this.items.push(...page.items);
    this.terms = page.terms;
    this.next = page.next;
    this.version = page.version;
    this.element.append(...page.items.map((item) => this.row(item)));
    this.end.textContent = this.next ? "Loading …" : "";
    if (!this.items.length) this.end.textContent = "Nothing here. Take a filter away, or wait for the run.";
    this.mark(this.current);
  }

  async more() {
    if (!this.next || this.loading) return this.loading;
    const key = this.key;
    this.loading = get("/api/items", page_query(this.state, this.next), this.aborter.signal);
    try {
      const page = await this.loading;
      if (key === this.key) {
        this.add(page);
        announce(`${number(this.items.length)} items loaded`);
      }
    } catch (error) {
      if (error.name !== "AbortError") this.end.textContent = error.message;
    } finally {
      this.loading = null;
    }
    // The end may still be in sight, and then it does not come into sight again by itself.
    if (this.end.getBoundingClientRect().top < innerHeight + 600 && key === this.key) return this.more();
  }

  row(item) {
    const link = h("a", { href: "#", tabindex: "-1", onclick: (event) => { event.preventDefault(); this.open(item.key); } });
    link.append(
      h("span", { class: "mark" }),
      h("span", { class: "excerpt", dir: "auto" }, ...marked(item.excerpt || "(nothing)", this.terms)),
      h("span", { class: "meta" }, ...this.meta(item)));
    const row = h("li", { data: { key: item.key } }, link);
    draw_mark(row, item);
    return row;
  }

  meta(item) {
    const parts = [];
    if (item.dropped) parts.push(h("b", { class: "reason" }, words(item.reason)));
    if (item.query_type) parts.push(h("span", { dir: "auto" }, item.query_type));
    for (const skill of item.skills.slice(0, 3)) parts.push(h("span", { class: "skill", dir: "auto" }, words(skill)));
    if (item.skills.length > 3) parts.push(h("span", {}, `+${item.skills.length - 3}`));
    if (!item.skills.length && item.step) parts.push(h("span", {}, words(item.step)));
    parts.push(h("span", { class: "value" }, this.value(item)));
    return parts;
  }

  // The number that the list is sorted by, else how long the item is.
  value(item) {
    const by = this.state.sort;
    if (by.startsWith("score:") && item.score !== null) return score(item.score);
    if (by === "similarity") return `F1 ${item.similarity.toFixed(2)}`;
    if (by === "instruction") return `${short(item.instruction_chars)} chars asked`;
    if (by === "response") return `${short(item.response_chars)} chars answered`;
    return `${short(item.instruction_chars + item.response_chars)} chars`;
  }

  find(key) {
    return this.element.querySelector(`li[data-key="${CSS.escape(key)}"]`);
  }

  mark(key) {
    this.current = key;
    this.element.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const row = key ? this.find(key) : null;
    row?.firstElementChild.setAttribute("aria-current", "true");
    row?.scrollIntoView({ block: "nearest" });
    // One row is a stop of the tabulator, or a keyboard would not get past a long list.
    const stop = this.element.querySelector("a[tabindex='0']");
    if (stop) stop.tabIndex = -1;
    const link = (row ?? this.element.firstElementChild)?.firstElementChild;
    if (link) link.tabIndex = 0;
  }

  // After a decision: the mark of a row.
  judged(key, verdict, edited) {
    const item = this.items.find((one) => one.key === key);
    if (item) Object.assign(item, { verdict, edited });
    const row = this.find(key);
    if (row) draw_mark(row, { verdict, edited });
  }

  // The key so many places further, loading more where the list goes on.
  async step(count) {
    const place = this.items.findIndex((item) => item.key === this.current);
    const wanted = place < 0 ? 0 : place + count;
    if (wanted >= this.items.length && this.next) await this.more();
    return this.items[Math.max(0, Math.min(wanted, this.items.length - 1))]?.key ?? "";
  }
}

function draw_mark(row, item) {
  const kind = item.verdict === "accept" && item.edited ? "edit" : item.verdict;
  const [sign, label] = MARKS[kind] ?? ["", ""];
  row.dataset.verdict = kind;
  const mark = row.querySelector(".mark");
  mark.textContent = sign;
  mark.title = label;
  mark.setAttribute("aria-label", label);
}
