"""From a config file to a checked run: its parameters, prompts and folder, and its forecast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seedbed.config import Config, parse_config, read_config
from seedbed.config_tables import ModelTable
from seedbed.folder import RunFolder
from seedbed.forecast import JUDGE, Forecast, Range, total
from seedbed.models.prices import Price, find_price
from seedbed.prompts import Prompts, load_prompts
from seedbed.records import JSON

ASKS_AS = {"sedi": "self_instruct", "directed": "skillmix"}
"""Recipes that ask with the prompts of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """A checked run, not begun. `text` is the config as it was written, `home` its folder."""

    config: Config
    text: str
    home: Path
    folder: RunFolder
    prompts: Prompts

    def path(self, written: str) -> Path:
        """A path of the config: relative ones start at the config's folder."""
        return self.home / written

    def price(self, stage: str) -> Price | None:
        """Dollars per million tokens of the model that a stage asks."""
        judge = self.config.judge
        return price_of(judge if stage == JUDGE and judge else self.config.teacher)

    def dollars(self, forecast: Forecast) -> Range | None:
        """What stages cost, each at its model's price; None where a price is not known."""
        costs = Range(0, 0)
        for name, stages in forecast.items():
            if (price := self.price(name)) is None:
                return None
            for stage in stages:
                costs += stage.dollars(
                    input_price=price.input,
                    output_price=price.output,
                    cached_price=price.cached_input,
                )
        return costs

    def forecast_json(self, forecast: Forecast) -> dict[str, JSON]:
        """A forecast as it stands in a manifest: a total for each stage."""
        content = {}
        for name, stages in forecast.items():
            dollars = self.dollars({name: stages})
            content[name] = total(stages).to_json()
            content[name] |= {"dollars": dollars.to_json() if dollars else None}
        return content

    @property
    def window(self) -> int:
        """Items under way at once: many more than calls in flight, since results are consumed in
        order and one slow call would else idle all others (measured: 2 times as many take 21 s
        where 16 times take 7)."""
        return 16 * self.config.teacher.max_in_flight


def plan_run(
    config: Path,
    *,
    folder: Path | None = None,
    home: Path | None = None,
    journal: Path | None = None,
) -> RunPlan:
    """Read and check everything that a run needs, before anything is spent.

    Args:
        config: the TOML file.
        folder: where the run is kept, instead of what the config says.
        home: where relative paths of the config start, instead of its own folder.
        journal: one that several runs share, instead of the run's own.

    Raises:
        ConfigError: the config, a prompt file or the skills file is wrong.
    """
    text = read_config(config)
    parsed = parse_config(text, place=str(config))
    home = home or config.parent
    named = folder or home / (parsed.folder or Path("runs") / config.stem)
    asker = ASKS_AS.get(parsed.recipe, parsed.recipe)
    prompts = load_prompts(
        f"seedbed.recipes.{asker}", home / parsed.prompts if parsed.prompts else None
    )
    return RunPlan(
        config=parsed, text=text, home=home, folder=RunFolder(named, journal), prompts=prompts
    )


def price_of(table: ModelTable) -> Price | None:
    """Dollars per million tokens: from the config, else from the price library; None if unknown.

    What answers in process costs nothing; a batch costs a part of the usual price, unless the
    config says what it costs.
    """
    if table.price is not None:
        return Price(
            input=table.price.input,
            output=table.price.output,
            cached_input=table.price.cached_input,
        )
    if table.in_process:
        return Price(input=0.0, output=0.0)
    tier = str(table.extra.get("service_tier", ""))
    found = find_price(table.model, table.url, service_tier=tier)
    if found is not None and table.mode == "batch":
        return found.times(table.batch.discount)
    return found
