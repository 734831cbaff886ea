"""Numbers and foreign texts as a report shows them."""

from __future__ import annotations

from collections.abc import Mapping
from unicodedata import category

_JOINERS = "\n\t\u200c\u200d"
"""What scripts and emoji need of the characters that show nothing."""


def shown(text: str) -> str:
    """A model's text without what hides itself or turns the line's direction around."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\ufffd" if category(char) in ("Cc", "Cf", "Cs") and char not in _JOINERS else char
        for char in text.replace("\r\n", "\n")
    )


def brief(text: str, longest: int = 80) -> str:
    """On one line, and cut with a mark where it is longer."""
    line = " ".join(shown(text[: 4 * longest + 100]).split())
    return line if len(line) <= longest else line[: longest - 2].rstrip() + " …"


def cut(text: str, longest: int) -> str:
    """The beginning of a long text, and how much there is beyond it."""
    if len(text) <= longest:
        return shown(text)
    return f"{shown(text[:longest]).rstrip()} … ({count(len(text) - longest)} more characters)"


def count(number: float) -> str:
    return f"{number:,.0f}"


def decimal(number: float) -> str:
    """Three digits that mean something, whatever the size."""
    if number and abs(number) < 0.001:
        return f"{number:.1e}"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def percent(part: float, whole: float) -> str:
    """A share; never 0 % of something, nor 100 % of less than all."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 0 < share < 10:
        return f"{share:.1f} %"
    return f"{min(share, 99.0):.0f} %" if part < whole else f"{share:.0f} %"


def dollars(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"${value:,.4f}" if 0 < value < 0.1 else f"${value:,.2f}"


def short(number: float) -> str:
    """1,234 as it is, 1,234,567 as 1.23 M."""
    for size, unit in ((1e9, "G"), (1e6, "M")):
        if number >= size:
            return f"{number / size:.2f} {unit}"
    return f"{number:,.0f}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def plural(number: int, noun: str) -> str:
    """3 examples, 1 example."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def spoken(name: str) -> str:
    """A snake_case name as words."""
    return shown(name).replace("_", " ")


def pairs(evidence: Mapping[str, float | str], longest: int = 160) -> list[tuple[str, str]]:
    """A drop's evidence, name by name."""
    return [
        (spoken(key), brief(value, longest) if isinstance(value, str) else decimal(value))
        for key, value in evidence.items()
    ]
