"""Skills on dates."""

from __future__ import annotations

from datetime import timedelta

from seedbed.models.practice.skill import Parameters, PracticeSkill, says, whole
from seedbed.models.practice.values import Value, number, phrase

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def written_out(value: Value) -> str:
    """Like 3 May 2024; `strftime` would follow the machine's language."""
    return f"{value.date.day} {MONTHS[value.date.month - 1]} {value.date.year}"


def _shifted(value: Value, parameters: Parameters) -> Value | None:
    return Value("date", ((value.date + timedelta(days=int(parameters["n"]))).isoformat(),))


SKILLS: tuple[PracticeSkill, ...] = (
    PracticeSkill(
        name="shifting_dates",
        topic="calendar_dates",
        description="finds the date some days after another",
        phrasings=(
            "find the date {n} days after {it}",
            "move {it} {n} days forward",
            "add {n} days to {it}",
            "count {n} days on from {it}",
        ),
        accepts=("date",),
        gives="date",
        apply=_shifted,
        explain=says("{n} days after {before} comes {after}."),
        parameters={"n": whole(2, 40)},
        recogniser=r"\b\d+ (?:days|weeks) (?:after|from|before)\b",
    ),
    PracticeSkill(
        name="naming_weekdays",
        topic="calendar_dates",
        description="names the day of the week of a date",
        phrasings=(
            "name the weekday of {it}",
            "find the day of the week of {it}",
            "tell me the weekday of {it}",
            "say which weekday belongs to {it}",
        ),
        accepts=("date",),
        gives="phrase",
        apply=lambda value, _: phrase(WEEKDAYS[value.date.weekday()]),
        explain=says("The date {before} is a {after}."),
        recogniser=r"\b(?:day of the week|which weekday|what weekday)\b",
    ),
    PracticeSkill(
        name="day_of_year",
        topic="calendar_dates",
        description="numbers the day of a date within its year",
        phrasings=(
            "find the day of the year of {it}",
            "work out the day number within the year of {it}",
            "give the day of the year for {it}",
            "count which day of its year {it} is",
        ),
        accepts=("date",),
        gives="number",
        apply=lambda value, _: number(value.date.timetuple().tm_yday),
        explain=says("The date {before} is day {after} of its year."),
        recogniser=r"\bday of the year\b",
    ),
    PracticeSkill(
        name="writing_out_dates",
        topic="calendar_dates",
        description="writes a date with the name of its month",
        phrasings=(
            "write out {it} with the name of the month",
            "give {it} as day, month name and year",
            "spell the month of {it} and write day, month and year",
            "rewrite {it} with the month in letters",
        ),
        accepts=("date",),
        gives="phrase",
        apply=lambda value, _: phrase(written_out(value)),
        explain=says("Written out, {before} is {after}."),
        recogniser=r"\b(?:date format|format (?:the|this|a) date|numbers into a date)\b",
    ),
)
