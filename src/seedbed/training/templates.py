"""Chat templates: the tokenizer's own, or a named one for base models that have none.

A template is a Jinja text in Hugging Face's form, so that whoever loads the checkpoint renders the
same. It is saved with the checkpoint, and named there by its digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedbed.errors import ConfigError
from seedbed.export.shapes import asked
from seedbed.records import Example, digest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OWN = "own"

_ALPACA = """\
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{{ message.content + '\\n\\n' }}
{%- elif message.role == 'user' and message.input is defined and message.input -%}
{{ 'Below is an instruction that describes a task, paired with an input that provides further \
context. Write a response that appropriately completes the request.\\n\\n### Instruction:\\n' \
+ message.instruction + '\\n\\n### Input:\\n' + message.input + '\\n\\n### Response:' }}
{%- elif message.role == 'user' -%}
{{ 'Below is an instruction that describes a task. Write a response that appropriately completes \
the request.\\n\\n### Instruction:\\n' + message.content + '\\n\\n### Response:' }}
{%- else -%}
{{ message.content + eos_token }}
{%- endif -%}
{%- endfor -%}
"""

_WIZARDLM = """\
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{{ message.content + '\\n\\n' }}
{%- elif message.role == 'user' -%}
{{ message.content + '\\n\\n### Response:' }}
{%- else -%}
{{ message.content + eos_token }}
{%- endif -%}
{%- endfor -%}
"""

_CHATML = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""

_LLAMA3 = """\
{%- for message in messages -%}
{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content \
+ '<|eot_id|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif -%}
"""

_PLAIN = """\
{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{{ message.content + eos_token }}
{%- else -%}
{{ message.content + '\\n\\n' }}
{%- endif -%}
{%- endfor -%}
"""


@dataclass(frozen=True, slots=True)
class _Named:
    """A template's text, and the tokens without which it would fall into ordinary characters."""

    text: str
    needs: tuple[str, ...] = ()


NAMED: Mapping[str, _Named] = {
    "alpaca": _Named(_ALPACA),
    "wizardlm": _Named(_WIZARDLM),
    "chatml": _Named(_CHATML, ("<|im_start|>", "<|im_end|>")),
    "llama3": _Named(_LLAMA3, ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")),
    "plain": _Named(_PLAIN),
}
"""Stanford Alpaca's prompt, WizardLM's, ChatML, Llama 3's, and the bare instruction."""


@dataclass(frozen=True, slots=True)
class Template:
    """A chat template as it is used: with the beginning-of-text token that the tokenizer adds."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        return template_digest(self.text)


def template_digest(text: str) -> str:
    """Names a template by its text: 16 hexadecimal digits."""
    return digest(text)[:16]


def use_template(tokenizer: PreTrainedTokenizerBase, name: str = "") -> Template:
    """Give the tokenizer the template of a name (its own with "" or "own"), and return that.

    Raises:
        ConfigError: there is no such template, the tokenizer has none, or it lacks a token that
            the template needs.
    """
    if name in ("", OWN):
        return Template(OWN, _own(tokenizer))
    if name not in NAMED:
        raise ConfigError(
            f"template {name!r}: there is no such one",
            hint=f"There are: {', '.join((OWN, *NAMED))}.",
        )
    known = tokenizer.get_vocab()
    wanted = NAMED[name]
    if missing := [token for token in wanted.needs if token not in known]:
        raise ConfigError(
            f"template {name!r}: the base model's tokenizer has no {', '.join(missing)}",
            hint='Use template = "alpaca" or "plain", which need no tokens of their own.',
        )
    if tokenizer.eos_token is None:
        raise ConfigError(
            f"template {name!r}: the base model's tokenizer has no end-of-text token",
            hint="A student could never stop. Give the tokenizer one (`eos_token`).",
        )
    template = Template(name, _begin(tokenizer) + wanted.text)
    tokenizer.chat_template = template.text
    return template


def _own(tokenizer: PreTrainedTokenizerBase) -> str:
    found = tokenizer.chat_template
    if isinstance(found, dict):  # several, by name
        found = found.get("default")
    if not found:
        raise ConfigError(
            "the base model has no chat template",
            hint=f"Choose one: --template {' | '.join(NAMED)}. `alpaca` suits any base model.",
        )
    return str(found)


def _begin(tokenizer: PreTrainedTokenizerBase) -> str:
    """The beginning-of-text token, if the tokenizer puts one before every text by itself."""
    bos = tokenizer.bos_token_id
    added = list(tokenizer("a")["input_ids"])
    return "{{- bos_token -}}\n" if bos is not None and added[:1] == [bos] else ""


def prompt_messages(example: Example) -> list[dict[str, str]]:
    """What the user says, for a chat template.

    `content` holds all of it. `instruction` and `input` are there for templates that keep them
    apart (Alpaca's); other templates do not look.
    """
    return [
        {
            "role": "user",
            "content": asked(example),
            "instruction": example.instruction.text,
            "input": example.input,
        }
    ]


def render(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], *, ask: bool) -> str:
    """The conversation as text, with `ask` up to where the assistant begins to write."""
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=ask))
