"""Which tokens are trained on: the response and its end, exactly, for every template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.training.students import CHAT, make_base, make_examples, make_student
from transformers import AutoTokenizer

from seedbed.errors import ConfigError
from seedbed.records import Drop, Example, Instruction
from seedbed.training.encode import Encoded, Encoder, encode
from seedbed.training.templates import NAMED, template_digest, use_template

EXAMPLE = Example(
    instruction=Instruction(text="Sort the list."), input="red green", response=" green,\n red. "
)
BARE = Example(instruction=Instruction(text="Say why."), response="Ünïcode “says” 3 < 4 🙂")

RENDERED = {
    "own": ("<|user|>Say why.<|assistant|>", "<|end|>"),
    "alpaca": (
        "Below is an instruction that describes a task. Write a response that appropriately "
        "completes the request.\n\n### Instruction:\nSay why.\n\n### Response:",
        "<|end|>",
    ),
    "wizardlm": ("Say why.\n\n### Response:", "<|end|>"),
    "chatml": ("<|im_start|>user\nSay why.<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>"),
    "llama3": (
        "<|start_header_id|>user<|end_header_id|>\n\nSay why.<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|eot_id|>",
    ),
    "plain": ("Say why.\n\n", "<|end|>"),
}
"""What each template has to say before the response and right after it."""


def tokenizer_of(base: Path) -> Any:
    return AutoTokenizer.from_pretrained(base)


def parts(tokenizer: Any, found: Encoded | Drop) -> tuple[str, str]:
    """The text that is not trained on, and the text that is."""
    assert isinstance(found, Encoded)
    ((start, end),) = found.spans
    assert end == len(found)
    return tokenizer.decode(found.ids[:start]), tokenizer.decode(found.ids[start:])


def test_every_template_is_tested_here() -> None:
    assert set(RENDERED) == {"own", *NAMED}


@pytest.mark.parametrize("name", RENDERED)
def test_the_response_and_its_end_are_trained_on_and_nothing_else(base: Path, name: str) -> None:
    tokenizer = tokenizer_of(base)
    use_template(tokenizer, name)
    before, end = RENDERED[name]
    found = parts(tokenizer, Encoder(tokenizer, 512)(BARE))
    assert found == (before, BARE.response + end)


@pytest.mark.parametrize("name", RENDERED)
def test_prompt_and_response_are_the_whole_rendering(base: Path, name: str) -> None:
    """But for what the template writes after the end: nothing is generated after that."""
    tokenizer = tokenizer_of(base)
    use_template(tokenizer, name)
    for example in (*make_examples(20), EXAMPLE, BARE):
        asked = f"{example.instruction.text}\n\n{example.input}".strip()
        content = {"instruction": example.instruction.text, "input": example.input}
        messages = [
            {"role": "user", "content": asked, **content},
            {"role": "assistant", "content": example.response},
        ]
        whole = tokenizer.apply_chat_template(messages, tokenize=False)
        prompt = tokenizer.apply_chat_template(
            messages[:1], tokenize=False, add_generation_prompt=True
        )
        before, trained = parts(tokenizer, Encoder(tokenizer, 512)(example))
        assert before == prompt
        assert (before + trained) == whole.rstrip("\n")


def test_alpaca_keeps_the_input_apart(base: Path) -> None:
    tokenizer = tokenizer_of(base)
    use_template(tokenizer, "alpaca")
    before, trained = parts(tokenizer, Encoder(tokenizer, 512)(EXAMPLE))
    assert "paired with an input that provides further context" in before
    assert "### Instruction:\nSort the list.\n\n### Input:\nred green\n\n### Response:" in before
    assert trained == " green,\n red. <|end|>"


def test_a_cut_response_still_ends(base: Path) -> None:
    tokenizer = tokenizer_of(base)
    use_template(tokenizer, "chatml")
    whole = Encoder(tokenizer, 512)(BARE)
    assert isinstance(whole, Encoded)
    cut = Encoder(tokenizer, len(whole) - 4)(BARE)
    assert isinstance(cut, Encoded)
    assert (whole.cut, cut.cut) == (False, True)
    assert len(cut) == len(whole) - 4
    assert list(cut.ids[:-1]) == list(whole.ids[: len(cut) - 1])
    assert cut.ids[-1] == whole.ids[-1] == tokenizer.convert_tokens_to_ids("<|im_end|>")


def test_what_cannot_be_trained_on_is_dropped_for_a_reason_and_counted(base: Path) -> None:
    tokenizer = tokenizer_of(base)
    use_template(tokenizer)
    long = Example(instruction=Instruction(text="list " * 60), response="red")
    forged = Example(instruction=Instruction(text="a"), response="b<|end|><|user|>c")
    encoding = encode(Encoder(tokenizer, 30), [EXAMPLE, long, forged, BARE])
    assert [(item, drop.reason) for item, drop in encoding.dropped] == [
        (long, "prompt_fills_max_length"),
        (forged, "special_token_in_text"),
    ]
    assert encoding.counts["examples"] == 2
    assert encoding.counts["prompt_fills_max_length"] == 1
    assert encoding.counts["special_token_in_text"] == 1
    assert encoding.counts["cut"] == sum(len(e) == 30 for e in encoding.kept) == 1
    assert encoding.counts["trained_tokens"] == sum(e.trained for e in encoding.kept)


def test_no_example_is_longer_than_the_model_has_positions_for(tmp_path: Path) -> None:
    student = make_student(make_base(tmp_path, max_position_embeddings=24), max_length=512)
    (found,) = student.encode([BARE]).kept
    assert (len(found), found.cut) == (24, True)


def test_a_token_over_the_border_is_not_trained_on(tmp_path: Path) -> None:
    """The student begins to write after the prompt's own tokens, so those are what it is shown."""
    template = "{{ messages[0].content }} re{% if messages|length > 1 %}{{ messages[1].content }}"
    tokenizer = tokenizer_of(make_base(tmp_path, chat_template=template + "{% endif %}"))
    found = Encoder(tokenizer, 64)(Example(instruction=Instruction(text="a"), response="d green"))
    assert " red" in tokenizer.convert_tokens_to_string(tokenizer.tokenize("a red green"))
    assert parts(tokenizer, found) == ("a re", "d green<|end|>")
    assert isinstance(found, Encoded)
    assert list(found.ids[: found.spans[0][0]]) == tokenizer("a re")["input_ids"]


def test_a_beginning_token_is_written_where_the_tokenizer_adds_one(base: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = tokenizer_of(base)
    tokenizer.bos_token = "<|user|>"
    number = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|user|> $A", special_tokens=[("<|user|>", number)]
    )
    use_template(tokenizer, "plain")
    found = Encoder(tokenizer, 64)(BARE)
    assert isinstance(found, Encoded)
    assert list(found.ids).count(number) == 1
    assert found.ids[0] == number


def test_a_template_that_does_not_suit_is_refused_with_a_way_out(tmp_path: Path) -> None:
    bare = tokenizer_of(make_base(tmp_path / "bare", chat_template=None))
    with pytest.raises(ConfigError, match="no chat template") as error:
        use_template(bare)
    assert "alpaca" in error.value.hint
    with pytest.raises(ConfigError, match="no such one"):
        use_template(bare, "vicuna")
    forgetful = "{% if messages|length == 1 %}Q{% else %}A{{ messages[1].content }}{% endif %}"
    other = tokenizer_of(make_base(tmp_path / "other", chat_template=forgetful))
    with pytest.raises(ConfigError, match="in another way"):
        Encoder(other, 64)(BARE)


def test_a_template_without_its_tokens_is_refused(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(make_base(tmp_path))
    del_tokens = {"<|im_start|>": "<|a|>", "<|im_end|>": "<|b|>"}
    text = tokenizer.backend_tokenizer.to_str()
    for old, new in del_tokens.items():
        text = text.replace(old, new)
    tokenizer._tokenizer = tokenizer.backend_tokenizer.from_str(text)
    with pytest.raises(ConfigError, match=r"no <\|im_start\|>, <\|im_end\|>"):
        use_template(tokenizer, "chatml")


def test_the_template_goes_with_the_tokenizer(base: Path, tmp_path: Path) -> None:
    tokenizer = tokenizer_of(base)
    template = use_template(tokenizer, "alpaca")
    tokenizer.save_pretrained(tmp_path)
    assert template_digest(tokenizer_of(tmp_path).chat_template) == template.digest
    assert use_template(tokenizer_of(base)).digest == template_digest(CHAT)
