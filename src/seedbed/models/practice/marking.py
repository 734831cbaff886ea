"""Marking a response to an instruction of the practice world, from the two texts alone.

A response is right if every part's result is stated as the answer: after a mark ("Answer:", "The
answer is", "(a)"), or else at its end. A result that only occurs somewhere in the working, hedges
("14 or 15"), and a list with an entry too many or too few are wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date

from seedbed.models.practice.compose import Task
from seedbed.models.practice.skills_dates import MONTHS, WEEKDAYS
from seedbed.models.practice.values import Value
from seedbed.models.practice.wording import LETTERS, read_instruction


def verify(instruction: str, response: str) -> bool | None:
    """Whether the response is right; None where the instruction is not of the practice world."""
    task = read_instruction(instruction)
    return None if task is None else right(task, response)


def skills_of(instruction: str) -> tuple[str, ...]:
    """The skills that an instruction needs, in order; none where it is not of this world."""
    task = read_instruction(instruction) or ()
    return tuple(dict.fromkeys(step.skill.name for part in task for step in part.steps))


def right(task: Task, response: str) -> bool:
    return all(parts_right(task, response))


def parts_right(task: Task, response: str) -> tuple[bool, ...]:
    """Whether each part of the task is answered rightly; all are wrong where one has no answer."""
    text = re.sub(r"[*_`]", "", _STAR_BULLET.sub("-", response)).strip()
    results = [part.result for part in task]
    if len(results) == 1:
        return (any(states(answer, results[0]) for answer in _single(text, results[0])),)
    answers = _lettered(text, len(results))
    if len(answers) < len(results):
        return (False,) * len(results)
    return tuple(map(states, answers, results))


_STAR_BULLET = re.compile(r"^\s*\*(?=\s)", re.MULTILINE)

_MARK = re.compile(
    r"\b(?:answer|result)(?: is| are)?(?: as follows)?(?:\s*:|(?<=is)\s|(?<=are)\s)", re.IGNORECASE
)

_POLITE = re.compile(
    r"(?:i hope|hope |let me know|feel free|thank|glad|happy to|good luck|have a|you['’]re |"
    r"please|if you|enjoy|that is all|that's all|just ask)",
    re.IGNORECASE,
)


def _single(text: str, value: Value) -> Iterator[str]:
    """Where the answer can stand: after the last mark, else at the end."""
    if marks := list(_MARK.finditer(text)):
        yield text[marks[-1].end() :]
        return
    lines = [line for line in text.splitlines() if line.strip() and not _POLITE.match(line.strip())]
    if not lines or value.kind == "block":
        yield text
        return
    sentences = re.split(r"(?<=[.!?])\s+", lines[-1])
    while len(sentences) > 1 and _POLITE.match(sentences[-1]):
        sentences.pop()
    yield from (lines[-1], sentences[-1])


def _lettered(text: str, count: int) -> list[str]:
    """The text after each part's last mark, up to the next mark; else the last lines, one each."""
    found: dict[str, str] = {}
    marks = list(re.finditer(r"(?im)(?:^|\banswer )\s*\(?([a-j])\)[:.]?(?:\s|\Z)", text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=False):
        found[mark[1].lower()] = text[mark.end() : end]
    if not found:
        return [line for line in text.splitlines() if line.strip()][-count:]
    return [found[letter] for letter in LETTERS[:count] if letter in found]


def states(text: str, value: Value) -> bool:
    """Whether a text states a value, and no other, as the answer."""
    if value.kind == "block":
        return _states_block(text, value.text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if not _POLITE.match(line)]
    return bool(kept) and any(
        _stated(form, flags).fullmatch(kept[0]) for form, flags in _forms(value)
    )


_LEAD = r"(?:[^\n]*?(?:\b(?:is|are|be|becomes?|gives?|get|makes?|was|were|leaves?)|[:=])\s+)?"
"""What may stand before a result in its sentence: anything, up to a word that announces it."""

_UNIT = r"(?: (?!(?:or|and|not|nor|maybe|perhaps)\b)[A-Za-z°²³%]+){0,2}"

_TAIL = (
    r"(?:[.!]|[.!]? ?\([^)\n]*\)\.?|,? (?:because|since|as|which|so)\b[^\n]*|"
    r"[.!] (?!(?:actually|no|wait|but|or|sorry|correction)\b)[^\n]*)?"
)
"""What may follow: the end, a note in brackets, a reason, another sentence."""


def _stated(form: str, flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile(rf"{_LEAD}[\"'“‘\[]{{0,2}}{form}[\"'”’\]]{{0,2}}{_TAIL}", flags)


def _forms(value: Value) -> Iterator[tuple[str, re.RegexFlag]]:
    """The ways in which a value may be written. Capitals count only where they are the point."""
    flags = re.RegexFlag(0) if value.text.isupper() else re.IGNORECASE
    match value.kind:
        case "number":
            yield rf"(?:{value.text}|{value.ints[0]:,}){_UNIT}", flags
        case "numbers" | "words":
            yield (
                r"[\"']?(?:[\"']?,? and [\"']?|[\"']?[,;] ?[\"']?|\s)".join(
                    map(re.escape, value.items)
                ),
                flags,
            )
        case "date":
            yield _date_forms(value.date), flags
        case "sentence":
            yield re.escape(value.text.rstrip(".")), flags
        case _:
            article = "(?:an? |on )?" if value.text in WEEKDAYS else ""
            yield article + re.escape(value.text), flags


def _date_forms(day: date) -> str:
    month = MONTHS[day.month - 1]
    return (
        rf"(?:{day.isoformat()}|0?{day.day}(?:st|nd|rd|th)? {month},? {day.year}|"
        rf"{month} 0?{day.day}(?:st|nd|rd|th)?,? {day.year})"
    )


_ROW = re.compile(r"^\s*(?:[-•+]\s|\d+[.)]\s|\|)")


def _states_block(text: str, expected: str) -> bool:
    if expected[0] in "[{":
        return bool(_first_json(text) == json.loads(expected))
    return list(_rows(text)) == list(_rows(expected))


def _rows(text: str) -> Iterator[tuple[str, ...]]:
    """The bullets, numbered lines or table rows of a text, without spacing and rules."""
    for line in text.splitlines():
        if not _ROW.match(line) or re.fullmatch(r"[\s|:-]+", line):
            continue
        if line.strip().startswith("|"):
            yield tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
        else:
            mark, entry = line.split(maxsplit=1)
            yield ("-" if mark in "-•+" else mark.rstrip(".)"), entry.strip())


def _first_json(text: str) -> object:
    """The first JSON list or object in a text; None where there is none."""
    for start in re.finditer(r"[\[{]", text):
        try:
            found: object = json.JSONDecoder().raw_decode(text, start.start())[0]
        except json.JSONDecodeError:
            continue
        return found
    return None
