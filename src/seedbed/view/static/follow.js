// Following the run and its index: what the bar on top says, and when something is new.

import { get } from "./api.js";
import { byId } from "./dom.js";
import { number, plural, short } from "./format.js";

// Tells `news` how the run is, again and again; less often where nothing happens.
export async function follow(news) {
  for (let before = null; ;) {
    await new Promise((resolve) => setTimeout(resolve, pause(before)));
    if (document.hidden) continue;
    try {
      const now = await get("/api/run");
      told(now);
      const same = before && now.index.version === before.index.version && !now.live && now.live === before.live;
      before = now;
      if (!same) await news(now);
    } catch (error) {
      notice([error.message]);
    }
  }
}

function pause(run) {
  if (!run) return 1000;
  if (run.live) return 2000;
  return run.index.read < run.index.size || run.index.similarities < run.index.examples ? 1000 : 4000;
}

export function told(run) {
  byId("run-name").textContent = run.name;
  document.title = `${run.name} · seedbed view`;
  byId("count-examples").textContent = short(run.index.examples);
  byId("count-drops").textContent = short(run.index.drops);
  const badge = byId("live");
  const progress = run.manifest.progress;
  badge.hidden = !run.live;
  if (run.live && progress) badge.textContent = [
    progress.wanted ? `${number(progress.reached)} / ${number(progress.wanted)}` : number(progress.kept),
    run.rates ? `${number(Math.round(run.rates.kept))} a minute` : "",
    `$${run.manifest.spend.dollars.toFixed(2)}`,
  ].filter(Boolean).join(" · ");
  notice(problems(run));
}

function problems(run) {
  const { index } = run;
  return [
    run.problem,
    run.locked ? `Decisions are off: ${run.locked}` : "",
    run.cut_off ? "This run was cut off. What it had so far is shown; run it again and it goes on." : "",
    index.read < index.size ? `Reading the run: ${Math.floor(index.read / index.size * 100)} %` : "",
    index.unread ? `${plural(index.unread, "line")} could not be read.` : "",
  ];
}

function notice(texts) {
  const said = texts.filter(Boolean).join(" ");
  const element = byId("notice");
  if (element.textContent !== said) element.textContent = said;
  element.hidden = !said;
}
