"""Examples as tokens, and which of those are trained on: the response and its end, exactly.

Where the response begins is not searched for but known: the prompt is rendered by itself, and has
to be the beginning of the whole. So a student is trained on what it will see, in the very tokens.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from transformers import PreTrainedTokenizerBase

from seedbed.errors import ConfigError
from seedbed.records import Drop, Example
from seedbed.training.templates import prompt_messages, render


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """An example in tokens.

    `spans` are the (start, end) stretches of `ids` that are trained on, in order; never the first
    token, which nothing comes before. `cut` says that the response was shortened to fit.
    """

    id: str
    ids: Sequence[int]
    spans: tuple[tuple[int, int], ...]
    cut: bool = False

    @property
    def trained(self) -> int:
        """Tokens that are trained on."""
        return sum(end - start for start, end in self.spans)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """What became of a set of examples, in order, and what was left out of it and why."""

    kept: tuple[Encoded, ...]
    dropped: tuple[tuple[Example, Drop], ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """Examples, tokens, trained tokens, cut responses, and drops by reason."""
        reasons = Counter(drop.reason for _, drop in self.dropped)
        return {
            "examples": len(self.kept),
            "tokens": sum(len(encoded) for encoded in self.kept),
            "trained_tokens": sum(encoded.trained for encoded in self.kept),
            "cut": sum(encoded.cut for encoded in self.kept),
            **dict(sorted(reasons.items())),
        }


@dataclass(slots=True)
class Encoder:
    """Turns examples into tokens in the way of one tokenizer and its chat template.

    `ends` are ids of the tokens that may end a response. The last one that the template writes
    after a response is trained on, and what it writes behind that is left out; where the template
    writes none, the tokenizer's end-of-text token is put there.
    """

    tokenizer: PreTrainedTokenizerBase
    max_length: int
    _special: re.Pattern[str] = field(init=False)
    _special_ids: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        special = special_tokens(self.tokenizer)
        longest_first = sorted(special.values(), key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._special_ids = frozenset(special)

    def __call__(self, example: Example) -> Encoded | Drop:
        """The example in tokens, or why it cannot be trained on.

        Raises:
            ConfigError: the chat template does not render a prompt as the beginning of the whole,
                or nothing could end a response.
        """
        text = "\n".join((example.instruction.text, example.input, example.response))
        if found := self._special.search(text):
            return Drop(reason="special_token_in_text", evidence={"token": found.group()})
        prompt, rest = self._split(example)
        if len(prompt) + 2 > self.max_length:
            return Drop(reason="prompt_fills_max_length", evidence={"tokens": len(prompt)})
        ids = prompt + rest
        cut = len(ids) > self.max_length
        if cut:
            ids = [*ids[: self.max_length - 1], rest[-1]]
        return Encoded(
            id=example.id,
            ids=array("i", ids),
            spans=((max(len(prompt), 1), len(ids)),),
            cut=cut,
        )

    def _split(self, example: Example) -> tuple[list[int], list[int]]:
        """Tokens of the prompt, and of the response with its end."""
        asked = prompt_messages(example)
        answered = [*asked, {"role": "assistant", "content": example.response}]
        before = render(self.tokenizer, asked, ask=True)
        whole = render(self.tokenizer, answered, ask=False)
        if not whole.startswith(before):
            raise ConfigError(
                "the chat template renders a prompt in another way once it is answered",
                hint='So what is the response cannot be told. Choose a named template ("alpaca").',
            )
        prompt, all_of_it = self._ids(before), self._ids(whole)
        if all_of_it[: len(prompt)] == prompt:
            rest = all_of_it[len(prompt) :]
        else:  # a token reaches over the border: the student will begin after it, so train that
            rest = self._ids(whole[len(before) :])
        return prompt, self._ended(rest)

    def _ended(self, rest: list[int]) -> list[int]:
        for place in range(len(rest) - 1, -1, -1):
            if rest[place] in self._special_ids:
                return rest[: place + 1]
        end = self.tokenizer.eos_token_id
        if not isinstance(end, int):
            raise ConfigError(
                "neither the chat template nor the tokenizer has a token that ends a response",
                hint="A student could never stop. Give the tokenizer one (`eos_token`).",
            )
        return [*rest, end]

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def special_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[int, str]:
    """The tokens that are no text, by id.

    Not only those with a role (end of text, padding): Llama 3's end of turn has none.
    """
    named = zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True)
    added = tokenizer.added_tokens_decoder
    return dict(named) | {key: str(token) for key, token in added.items() if token.special}


def encode(encoder: Encoder, examples: Iterable[Example]) -> Encoding:
    """All examples in tokens; those that cannot be trained on are listed with their reason."""
    kept: list[Encoded] = []
    dropped: list[tuple[Example, Drop]] = []
    for example in examples:
        found = encoder(example)
        if isinstance(found, Drop):
            dropped.append((example, found))
        else:
            kept.append(found)
    return Encoding(kept=tuple(kept), dropped=tuple(dropped))
