"""What is measured, with what, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from seedbed.config_tables import BudgetTable, ModelTable
from seedbed.errors import ConfigError
from seedbed.evaluate.knowledge import OPEN_LLM_V1, KnowledgeTask
from seedbed.folder import RunFolder
from seedbed.measuring.students import Subject
from seedbed.plan import price_of
from seedbed.records import Sampling

BENCHMARKS: Mapping[str, str] = {
    "practice": "held-out skill mixes of the built-in teacher's world, marked exactly",
    "ifeval": "541 prompts whose instructions a program can check",
    "mt_bench": "80 questions of two turns, rated by a judge",
    "wild_bench": "1,024 real tasks, rated by a judge",
    "alpaca_eval": "805 instructions, judged against GPT-4's outputs, lengths controlled",
    "held_out": "what its training set aside, judged against the teacher's responses",
    "knowledge": "multiple choice and sums, by lm-evaluation-harness",
}
"""What each benchmark is, in a line."""

JUDGED = frozenset({"mt_bench", "wild_bench", "alpaca_eval", "held_out"})

FOLDERS: Mapping[str, tuple[str, ...]] = {"wild_bench": ("wild_bench", "wildbench")}
"""How a benchmark's folder below --data may be called, if not by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingWish:
    """What is to differ from a benchmark's own sampling."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None

    def on(self, sampling: Sampling) -> Sampling:
        return replace(
            sampling,
            temperature=sampling.temperature if self.temperature is None else self.temperature,
            top_p=sampling.top_p if self.top_p is None else self.top_p,
            max_tokens=self.max_tokens or sampling.max_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticePlan:
    """The held-out set of `practice`: `count` items for each k.

    `skills` are those of the examples that the student was tuned on, else all, unless given.
    """

    ks: tuple[int, ...] = (1, 2, 3)
    count: int = 200
    skills: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalPlan:
    """Everything that `measure` needs.

    Args:
        subject: who is measured.
        benchmarks: names, in the order in which they are run.
        folder: where results, answers and the journal go.
        judge: who judges; needed for some benchmarks.
        budget: caps of all sessions together.
        data: a folder with the benchmarks' files, or with a folder for each.
        limit: only the first so many questions of each.
        sampling: what is to differ from the benchmarks' own.
        trained: runs whose examples the student was tuned on, for `practice`.
        both_orders: AlpacaEval's judge is asked twice, the outputs swapped.
        knowledge: the tasks of `knowledge`; `chat` shows them through the chat template;
            `tokenizer` is the one of an endpoint, its model's name unless given.
        teacher: who wrote the student's data, where it is known; only to warn of favours.
    """

    subject: Subject
    benchmarks: tuple[str, ...]
    folder: Path
    judge: ModelTable | None = None
    budget: BudgetTable = field(default_factory=BudgetTable)
    data: Path | None = None
    limit: int | None = None
    sampling: SamplingWish = SamplingWish()
    trained: tuple[RunFolder, ...] = ()
    practice: PracticePlan = PracticePlan()
    both_orders: bool = False
    knowledge: tuple[KnowledgeTask, ...] = OPEN_LLM_V1
    chat: bool = False
    tokenizer: str = ""
    teacher: str = ""

    def __post_init__(self) -> None:
        """Find what is missing before anything is asked.

        Raises:
            ConfigError: an unknown benchmark, none, or a judge that is needed and not given.
        """
        if not self.benchmarks:
            raise ConfigError("no benchmark", hint=f"There are: {', '.join(BENCHMARKS)}.")
        if unknown := [name for name in self.benchmarks if name not in BENCHMARKS]:
            raise ConfigError(
                f"no benchmark {unknown[0]!r}", hint=f"There are: {', '.join(BENCHMARKS)}."
            )
        judged = [name for name in self.benchmarks if name in JUDGED]
        if judged and self.judge is None:
            raise ConfigError(
                f"{judged[0]}: it needs a judge",
                hint="Name one: --judge MODEL --judge-url URL, or [judge] in a TOML.",
            )

    @property
    def asked(self) -> tuple[str, ...]:
        """The benchmarks in which the student is asked by us, and not by another library."""
        return tuple(name for name in self.benchmarks if name != "knowledge")

    @property
    def tables(self) -> tuple[ModelTable, ...]:
        """The models that are opened."""
        judge = self.judge if JUDGED & set(self.benchmarks) else None
        return (self.subject.table, *([judge] if judge else []))

    @property
    def priced(self) -> bool:
        """Whether the price of every model that is opened is known."""
        return all(price_of(table) is not None for table in self.tables)

    def data_of(self, benchmark: str) -> Path | None:
        """The folder of a benchmark's files, None where --data is not given."""
        if self.data is None:
            return None
        names = FOLDERS.get(benchmark, (benchmark,))
        return next((self.data / name for name in names if (self.data / name).is_dir()), self.data)

    def needed_data(self, benchmark: str) -> Path:
        """The same, where there is no other place.

        Raises:
            ConfigError: --data is not given.
        """
        if (folder := self.data_of(benchmark)) is None:
            raise ConfigError(
                f"{benchmark}: its files are not part of this package",
                hint=f"Name their folder with --data; docs/evaluation.md says what {benchmark} "
                "needs and where it is from.",
            )
        return folder
