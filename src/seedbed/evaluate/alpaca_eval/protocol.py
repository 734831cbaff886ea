"""How a judge is asked which of two outputs is better: one token, its chances, a seeded order.

Source: AlpacaEval's annotator `weighted_alpaca_eval_gpt4_turbo`. The judge names the better output
by one token, `m` for the one shown first or `M` for the second; the preference is how the token's
chance is shared among the two. Which one is shown first follows from the instruction alone.

Preferences compare with published ones only where the judge read the published prompt, to the
byte. That text belongs to the `alpaca_eval` package, and is read from a folder or from that package
where it is installed. Otherwise the judge reads a wording of our own, and the result says that it
compares with no published number.

Two things are done differently, and matter only where an output is made to mislead: an output that
holds a placeholder of the prompt or a ChatML mark stays as it is, where the official code would
substitute and cut it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.evaluate.judge import token_chances
from seedbed.records import Completion, Message, Request, Role, Sampling

TEMPLATE = "alpaca_eval_clf.txt"
DIGEST = "784227e6dc2832fc08c43d2c8ea3a308e7523780187a1aaad2f85e30bac85f62"
"""SHA-256 of the published prompt file (alpaca_eval 0.6.6)."""

TOKENS = ("m", "M")
LISTED = 5
"""Alternatives of the first token that the judge's server is asked for."""

_ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
_PLACEHOLDERS = re.compile(r"\{(instruction|output_1|output_2)\}")
_MESSAGE = re.compile(r"<\|im_start\|>(\w+)\n(.*?)<\|im_end\|>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePrompt:
    """Messages with the placeholders {instruction}, {output_1} (shown first) and {output_2}.

    `published` says whether this is the prompt behind the published preferences.
    """

    messages: tuple[Message, ...]
    digest: str

    @property
    def published(self) -> bool:
        return self.digest == DIGEST

    def request(self, instruction: str, first: str, second: str, sampling: Sampling) -> Request:
        values = {"instruction": instruction, "output_1": first, "output_2": second}

        def fill(content: str) -> str:
            return _PLACEHOLDERS.sub(lambda match: values[match[1]], content).strip()

        return Request(
            messages=tuple(Message(each.role, fill(each.content)) for each in self.messages),
            sampling=sampling,
        )

    def notes(self) -> tuple[str, ...]:
        if self.published:
            return ()
        return (
            "The judge did not read the published prompt: compare with no published number. "
            f"The published one is `{TEMPLATE}` of the alpaca_eval package.",
        )


def load_prompt(path: Path | None = None, *, folder: Path | None = None) -> JudgePrompt:
    """The prompt from `path`; else the published one, from `folder` or the alpaca_eval package;
    else our own wording.

    Raises:
        ConfigError: the file cannot be read, or is not messages in ChatML with the three
            placeholders.
    """
    found = path or _published(folder)
    if found is None:
        own = files("seedbed.evaluate.alpaca_eval") / "prompts" / "judge.md"
        return parse_prompt(own.read_bytes(), place="prompts/judge.md")
    try:
        content = found.read_bytes()
    except OSError as error:
        raise ConfigError(f"{found}: this prompt cannot be read: {error.strerror}") from error
    return parse_prompt(content, place=str(found))


def _published(folder: Path | None) -> Path | None:
    """The published prompt file, where the user has it; the package is found, not imported."""
    places = [folder / TEMPLATE] if folder else []
    if (package := find_spec("alpaca_eval")) is not None and package.origin:
        configs = Path(package.origin).parent / "evaluators_configs"
        places.append(configs / "alpaca_eval_clf_gpt4_turbo" / TEMPLATE)
    return next((place for place in places if place.is_file()), None)


def parse_prompt(content: bytes, *, place: str) -> JudgePrompt:
    """Messages out of ChatML text.

    Raises:
        ConfigError: it holds none, one of an unknown role, or not each placeholder once.
    """
    text = content.decode("utf-8", "replace")
    parts = _MESSAGE.findall(text)
    if not parts or not {role for role, _ in parts} <= _ROLES.keys():
        raise ConfigError(
            f"{place}: not a judge's prompt in ChatML",
            hint="Messages go from <|im_start|>user (or system) to <|im_end|>.",
        )
    used = sorted(_PLACEHOLDERS.findall("".join(content for _, content in parts)))
    if used != ["instruction", "output_1", "output_2"]:
        raise ConfigError(
            f"{place}: expected {{instruction}}, {{output_1}} and {{output_2}} once each, found "
            f"{', '.join(used) or 'none'}"
        )
    messages = tuple(Message(_ROLES[role], content.strip()) for role, content in parts)
    return JudgePrompt(messages=messages, digest=sha256(content).hexdigest())


def sampling(*, max_tokens: int = 1, temperature: float = 1.0) -> Sampling:
    """The protocol's own sampling unless changed: one token at temperature 1, which does not matter
    where its chances are read."""
    return Sampling(temperature=temperature, max_tokens=max_tokens, top_logprobs=LISTED)


def preference_of(completion: Completion) -> float | None:
    """From 1 (the output shown first is better) to 2 (the second), out of the first token's
    chances; None where neither of the two tokens is listed."""
    shares = token_chances(completion, TOKENS)
    return None if shares is None else 2 - shares[0]


def preference_in_text(completion: Completion) -> float | None:
    """1 or 2 where the text is one of the two tokens and nothing else; None otherwise.

    What is left where a server gives no log-probabilities: every preference is a whole one.
    """
    return {"m": 1.0, "M": 2.0}.get(completion.text.strip())


def has_chances(completion: Completion) -> bool:
    """Whether the server listed alternatives of the first token."""
    return bool(completion.logprobs and completion.logprobs[0].top)


def read_preference(completion: Completion) -> float | None:
    """Out of the chances where the completion has them, else out of its text."""
    return preference_of(completion) if has_chances(completion) else preference_in_text(completion)


def swapped_back(preference: float) -> float:
    """A preference as it would be with the two outputs shown in the other order."""
    return 3 - preference
