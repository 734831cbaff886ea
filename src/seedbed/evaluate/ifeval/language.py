"""Which language a text is written in: `langdetect`, the detector of the official scorer."""

from __future__ import annotations

from seedbed.errors import ConfigError


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language; None where the text has no letters to tell by.

    The detector draws at random. It is seeded here, so that a text has one language.

    Raises:
        ConfigError: the library is not installed.
    """
    try:
        from langdetect import DetectorFactory, LangDetectException, detect
    except ImportError as error:
        raise ConfigError(
            "IFEval tells languages with `langdetect`, which is not installed",
            hint="pip install 'seedbed[eval]'",
        ) from error
    DetectorFactory.seed = 0
    try:
        return str(detect(text))
    except LangDetectException:
        return None


def written_in(text: str, language: str) -> bool:
    """Whether a text is in a language. Where nothing can be told it counts as that language, as
    in the official scorer: a response of numbers breaks no rule about words."""
    return language_of(text) in (language, None)
