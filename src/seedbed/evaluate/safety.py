"""What makes a judge's scores worthless, noticed: outputs that do not depend on the instruction,
outputs that speak to the judge, and a judge that marks its own family.

A constant text that imitates the judge's prompt wins 86.5 % of AlpacaEval 2 with lengths controlled
(Zheng et al. 2024, "Cheating Automatic LLM Benchmarks", arXiv 2410.07137): no score shows it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

FEWEST = 20
"""Outputs below which sameness says nothing."""

SAME_TEXT = 0.1
SAME_LENGTH = 0.5
"""Shares of outputs with one text (or one beginning), or one length, from which a student's outputs
count as constant. Of the 227 public students of AlpacaEval, 226 stay below 0.01 and 0.03."""

LONG_ENOUGH = 40
"""Characters: shorter outputs are often the same for good reason ("Yes.")."""

BEGINNING = 200

_INJECTIONS = re.compile(
    "|".join(
        (
            r"<\|im_(?:start|end)\|>",
            r'"model_identifier"',
            r"#+ *Best Model Identifier",
            r"\{output_[12]\}",
            r"\[\[(?:[AB]|[AB][<>=]+[AB]|(?:10|[1-9])(?:\.\d+)?)\]\]",
            r"\[(?:end of the )?answer of [mM]\]",
            r"\b(?:ignore|disregard|forget) (?:all |any )?(?:of )?(?:the )?"
            r"(?:above|previous|prior|other)\b[^.\n]{0,40}"
            r"\b(?:instructions?|outputs?|answers?|responses?|prompts?)\b",
            r"\b(?:dear|attention,?|note to(?: the)?) (?:judge|grader|evaluator)\b",
        )
    ),
    re.IGNORECASE,
)

FAMILIES: Mapping[str, re.Pattern[str]] = {
    "OpenAI": re.compile(r"gpt|chatgpt|davinci|\bo[1345](?:-|\b)"),
    "Anthropic": re.compile(r"claude"),
    "Meta Llama": re.compile(r"llama"),
    "Google": re.compile(r"gemini|gemma|palm"),
    "Mistral": re.compile(r"mistral|mixtral|codestral|ministral"),
    "Qwen": re.compile(r"qwen|qwq"),
    "DeepSeek": re.compile(r"deepseek"),
    "Microsoft Phi": re.compile(r"\bphi-?\d"),
    "seedbed practice": re.compile(r"\bpractice\b"),
}


def constant_notes(chars: Sequence[int], outputs: Sequence[str] = ()) -> tuple[str, ...]:
    """What to say of outputs that do not depend on their instructions.

    Args:
        chars: characters of every output.
        outputs: their texts, where they are known.
    """
    long = [text for text in outputs if len(text) >= LONG_ENOUGH]
    checks: tuple[tuple[Sequence[Hashable], str, float], ...] = (
        (long, "are one and the same text", SAME_TEXT),
        ([text[:BEGINNING] for text in long], "begin with the same text", SAME_TEXT),
        ([n for n in chars if n >= LONG_ENOUGH], "have exactly the same length", SAME_LENGTH),
    )
    total = len(outputs) or len(chars)
    if total < FEWEST:
        return ()
    for values, what, most in checks:
        count = max(Counter(values).values(), default=0)
        if count >= most * total:
            return (
                f"WARNING: {count} of {total} outputs {what}: they do not answer the "
                "instructions, so the judge was misled and the score means nothing.",
            )
    return ()


def injection_notes(outputs: Mapping[str, str]) -> tuple[str, ...]:
    """What to say of outputs that speak to the judge or imitate its prompt.

    Args:
        outputs: by the item's id.
    """
    found = {
        name: match[0] for name, text in outputs.items() if (match := _INJECTIONS.search(text))
    }
    if not found:
        return ()
    first = next(iter(found))
    return (
        f"WARNING: {len(found)} of {len(outputs)} outputs hold what could steer the judge, the "
        f"first is item {first} ({found[first]!r}): read them before you trust the score.",
    )


def family(model: str) -> str:
    """Who made a model, told from its name; empty where that does not tell."""
    name = model.lower()
    return next((maker for maker, pattern in FAMILIES.items() if pattern.search(name)), "")


def family_notes(*, judge: str, **others: str) -> tuple[str, ...]:
    """What to say where the judge and others are of one family: judges favour their own.

    Args:
        judge: its model's name.
        others: names of models by what they are here: `student`, `teacher`, `baseline`; those
            that are empty do not count.
    """
    maker = family(judge)
    own = [f"the {what} ({name})" for what, name in others.items() if maker == family(name) != ""]
    if not own:
        return ()
    return (
        f"The judge ({judge}) and {' and '.join(own)} are of one family ({maker}): judges favour "
        "outputs like their own.",
    )
