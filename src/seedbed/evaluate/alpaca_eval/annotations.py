"""Judged outputs in a file: AlpacaEval's own `annotations.json`, or a table of numbers.

Columns are found by their names. The instruction is `instruction` (its text) or
`instruction_index` (its place in the benchmark); the rest is `preference`, the outputs `output_1`
(the baseline's) and `output_2` or their characters `len_1` and `len_2`, and where there are several
students `generator_2` or `model`. Where the judge's log-probabilities are there too
(`raw_completion`, or `logprob_m` and `logprob_M`), every preference is read from them again and
compared.

Rows are joined by instruction. The official code joins difficulties by the row's number, which is
the same only where no row is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan, nan
from pathlib import Path

from seedbed.datasets.rows import Bad
from seedbed.datasets.settings import ReadSettings
from seedbed.datasets.sources import find_file, open_file
from seedbed.errors import DatasetError
from seedbed.evaluate.alpaca_eval.data import AlpacaEvalData
from seedbed.evaluate.alpaca_eval.protocol import preference_of, swapped_back
from seedbed.evaluate.judge import switched
from seedbed.records import JSON, Completion, TokenLogprob

TOLERANCE = 1e-6
"""By how much a stored preference may differ from the one in its log-probabilities: they are
rounded when they are stored."""


@dataclass(slots=True, kw_only=True)
class Annotated:
    """One student's judged outputs, an entry per row in the file's order.

    `place` is the instruction's in the benchmark; a preference that could not be read is NaN;
    `outputs` is empty where the file has only lengths. Of `reread` preferences that stand beside
    their log-probabilities, `differing` are not what those say.
    """

    student: str
    judge: str = ""
    baseline: str = ""
    place: list[int] = field(default_factory=list)
    preference: list[float] = field(default_factory=list)
    model_chars: list[int] = field(default_factory=list)
    baseline_chars: list[int] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    reread: int = 0
    differing: int = 0
    judgments: int = 0
    from_text: int = 0
    agreement: float | None = None

    def add(self, place: int, preference: float, output: str, baseline: str) -> None:
        self.place.append(place)
        self.preference.append(preference)
        self.model_chars.append(len(output))
        self.baseline_chars.append(len(baseline))
        self.outputs.append(output)

    def rows(self, data: AlpacaEvalData) -> list[dict[str, JSON]]:
        """In the official form of `annotations.json`; what could not be read is null."""
        return [
            {
                "instruction": data.instructions[place],
                "output_1": data.outputs[place],
                "generator_1": self.baseline,
                "dataset": data.subsets[place],
                "output_2": output,
                "generator_2": self.student,
                "annotator": self.judge,
                "preference": None if isnan(preference) else preference,
            }
            for place, output, preference in zip(
                self.place, self.outputs, self.preference, strict=True
            )
        ]


def read_annotations(path: Path, data: AlpacaEvalData) -> list[Annotated]:
    """The students in a file, in the order in which they come.

    Raises:
        DatasetError: a column is missing, a row is malformed, of no instruction of the benchmark,
            or there twice.
    """
    students: dict[str, Annotated] = {}
    places = data.places()
    for number, row in _rows(path):
        where = f"{path}: row {number}"
        name = str(row.get("generator_2") or row.get("model") or path.stem)
        annotated = students.setdefault(name, Annotated(student=name))
        place = _place(row, places, where)
        if place in annotated.place:
            raise DatasetError(f"{where}: the instruction {place} of {name} is there twice")
        annotated.place.append(place)
        annotated.judge = annotated.judge or str(row.get("annotator") or "")
        annotated.baseline = annotated.baseline or str(row.get("generator_1") or "")
        annotated.preference.append(_preference(row, where))
        annotated.baseline_chars.append(_chars(row, "output_1", "len_1", where))
        annotated.model_chars.append(_chars(row, "output_2", "len_2", where))
        if isinstance(row.get("output_2"), str):
            annotated.outputs.append(row["output_2"])
        _reread(annotated, row, data.instructions[place])
    if not students:
        raise DatasetError(f"{path}: no row in it")
    return list(students.values())


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, JSON]]]:
    with open_file(find_file(path), ReadSettings()) as table:
        for row in table.rows:
            if isinstance(row.content, Bad):
                raise DatasetError(f"{path}: {table.unit} {row.number}: {row.content.detail}")
            yield row.number, row.content


def _place(row: Mapping[str, JSON], places: Mapping[str, int], where: str) -> int:
    if isinstance(text := row.get("instruction"), str):
        if text not in places:
            raise DatasetError(
                f"{where}: an instruction that the benchmark does not have: {text[:60]!r}",
                hint="The texts have to be the reference's, character for character.",
            )
        return places[text]
    place = _number(row.get("instruction_index"), f"{where}: `instruction_index`")
    if place not in range(len(places)):
        raise DatasetError(
            f"{where}: neither an `instruction` nor an `instruction_index` within 0 and "
            f"{len(places) - 1}"
        )
    return int(place)


def _preference(row: Mapping[str, JSON], where: str) -> float:
    if "preference" not in row:
        raise DatasetError(f"{where}: no `preference`; found {', '.join(row)}")
    value = _number(row["preference"], f"{where}: `preference`")
    if not (isnan(value) or value == 0 or 1 <= value <= 2):
        raise DatasetError(f"{where}: the preference {value} is not within 1 and 2")
    return value


def _chars(row: Mapping[str, JSON], text: str, length: str, where: str) -> int:
    if isinstance(output := row.get(text), str):
        return len(output)
    value = _number(row.get(length), f"{where}: `{length}`")
    if not isfinite(value) or value < 0:
        raise DatasetError(f"{where}: neither a text `{text}` nor its characters `{length}`")
    return int(value)


def _number(value: JSON, place: str) -> float:
    """A number, or the text of one; NaN where there is nothing."""
    if value is None or value == "":
        return nan
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            pass
    raise DatasetError(f"{place}: expected a number, got {value!r}")


def _reread(annotated: Annotated, row: Mapping[str, JSON], instruction: str) -> None:
    """Compare the row's preference with what its log-probabilities say, where it has them."""
    completion = Completion(text="", logprobs=_stored(row))
    shown = preference_of(completion)
    if shown is None:
        return
    found = swapped_back(shown) if switched(instruction) else shown
    annotated.reread += 1
    # A stored preference that is missing differs too: NaN is not within any tolerance.
    annotated.differing += not abs(found - annotated.preference[-1]) <= TOLERANCE


def _stored(row: Mapping[str, JSON]) -> tuple[TokenLogprob, ...]:
    """The log-probabilities in a row, as a completion has them; none where it has none."""
    raw = row.get("raw_completion")
    if isinstance(raw, str) and raw.startswith("{"):
        raw = json.loads(raw)
    if isinstance(raw, dict):
        content = (raw.get("logprobs") or {}).get("content") or []
        return tuple(_logprob(token) for token in content[:1])
    listed = {token: row.get(f"logprob_{token}") for token in ("m", "M")}
    top = tuple((token, float(value)) for token, value in listed.items() if value not in (None, ""))
    return (TokenLogprob(top[0][0], top[0][1], top),) if top else ()


def _logprob(token: Mapping[str, JSON]) -> TokenLogprob:
    listed: Sequence[Mapping[str, JSON]] = token.get("top_logprobs") or []
    top = tuple((str(entry["token"]), float(entry["logprob"])) for entry in listed)
    return TokenLogprob(str(token["token"]), float(token["logprob"]), top)
