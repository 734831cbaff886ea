"""From a checkpoint's folder to a model that can be asked; the only place that loads one here."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jinja2 import TemplateError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from seedbed.errors import ConfigError, RequestRejected
from seedbed.models.batching import Room
from seedbed.models.decoding import Decoder
from seedbed.models.local_files import check_template
from seedbed.models.rows import Row, Scribe
from seedbed.models.sampling import Draw
from seedbed.records import Request

if TYPE_CHECKING:
    from seedbed.models.local import LocalSettings

_LARGE = 300_000_000
"""Parameters from which bfloat16 pays on a CPU (measured: `docs/engines.md`)."""

_GIB = 2**30


@dataclass(slots=True, kw_only=True)
class Loaded:
    """A model in memory. `context` is the most tokens of prompt and answer together, `room` what
    a batch may hold."""

    decoder: Decoder
    tokenizer: PreTrainedTokenizerBase
    device: torch.device
    context: int
    room: Room

    def row(self, request: Request) -> Row:
        """A request in tokens.

        Raises:
            RequestRejected: it is longer than the context, or the chat template refuses it.
        """
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        render: Callable[..., object] = self.tokenizer.apply_chat_template
        try:
            text = str(render(messages, tokenize=False, add_generation_prompt=True))
        except TemplateError as error:
            raise RequestRejected(f"the chat template refuses the messages: {error}") from error
        ids = _ids(self.tokenizer, text)
        room = self.context - len(ids)
        if room < 1 or not ids:
            raise RequestRejected(
                f"the prompt takes {len(ids)} tokens; expected 1 to {self.context - 1}, which "
                "leaves room for an answer"
            )
        most = min(request.sampling.max_tokens, room)
        return Row(request=request, ids=ids, most=most, draw=Draw.of(request))

    def free(self) -> None:
        """Let go of the weights."""
        self.decoder.close()
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def load(folder: Path, settings: LocalSettings) -> Loaded:
    """Load a checkpoint for inference.

    Raises:
        ConfigError: it cannot be loaded, or its chat template is missing or not its own.
    """
    device = _device(settings.device)
    tokenizer = _tokenizer(folder)
    check_template(folder, _template(tokenizer))
    model = _model(folder, _dtype(folder, settings, device))
    torch.nn.Module.to(model, device)
    model.eval()
    config: Any = model.config.get_text_config()
    context = config.to_dict().get("max_position_embeddings")
    return Loaded(
        decoder=Decoder(model, Scribe(tokenizer, ends=_ends(model, tokenizer))),
        tokenizer=tokenizer,
        device=device,
        context=int(context) if context else 2**31,
        room=Room(rows=settings.rows, tokens=_tokens(model, settings, device)),
    )


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(name, True):
        raise ConfigError(f"device = {name!r}: there is none here", hint='Use device = "auto".')
    return torch.device(name)


def _dtype(folder: Path, settings: LocalSettings, device: torch.device) -> torch.dtype:
    if settings.dtype != "auto":
        return torch.bfloat16 if settings.dtype == "bfloat16" else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    # Weights of 2 bytes each, mostly: a large model is one of many bytes.
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    able = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if able and size >= 2 * _LARGE else torch.float32


def _tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    make: Callable[..., PreTrainedTokenizerBase] = AutoTokenizer.from_pretrained
    try:
        return make(str(folder), local_files_only=True)
    except (OSError, ValueError) as error:
        raise _unloadable(folder, error) from error


def _model(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    make: Callable[..., PreTrainedModel] = AutoModelForCausalLM.from_pretrained
    try:
        with _without_bars():
            return make(str(folder), dtype=dtype, local_files_only=True)
    except (OSError, ValueError) as error:
        raise _unloadable(folder, error) from error


@contextmanager
def _without_bars() -> Iterator[None]:
    """Who prints is the command line."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _unloadable(folder: Path, error: Exception) -> ConfigError:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ConfigError(
        f"{folder}: the model cannot be loaded: {first}",
        hint="Expected a folder in Hugging Face's layout, with a model that writes text and that "
        "this version of transformers knows.",
    )


def _template(tokenizer: PreTrainedTokenizerBase) -> str | None:
    found = tokenizer.chat_template
    if isinstance(found, dict):  # several, by name
        found = found.get("default")
    return str(found) if found else None


def _ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]


def _ends(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Tokens that end an answer: those that the checkpoint names, and what its template writes."""
    config: Any = model.generation_config
    named = config.eos_token_id if config is not None else None
    ends = set(named) if isinstance(named, list) else {named, tokenizer.eos_token_id}
    ends |= set(_written_behind(tokenizer))
    return frozenset(int(token) for token in ends if token is not None)


def _written_behind(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The special tokens that the chat template writes behind an answer.

    A base model's own end is often another than its template's, and then it would run on.
    """
    render: Callable[..., object] = tokenizer.apply_chat_template
    asked = [{"role": "user", "content": "?"}]
    try:
        before = str(render(asked, tokenize=False, add_generation_prompt=True))
        answered = [*asked, {"role": "assistant", "content": "."}]
        whole = str(render(answered, tokenize=False))
    except TemplateError:
        return []
    special = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    behind = whole[len(before) :] if whole.startswith(before) else ""
    return [token for token in _ids(tokenizer, behind) if token in special]


def _tokens(model: PreTrainedModel, settings: LocalSettings, device: torch.device) -> int:
    """The most tokens of a batch whose keys and values fit."""
    config: dict[str, Any] = model.config.get_text_config().to_dict()
    heads = config.get("num_key_value_heads") or config.get("num_attention_heads") or 1
    size = config.get("head_dim") or config.get("hidden_size", 64) // (
        config.get("num_attention_heads") or 1
    )
    layers = config.get("num_hidden_layers") or config.get("n_layer") or 1
    width = next(model.parameters()).element_size()
    room = settings.cache_gib * _GIB
    if not room:
        free = torch.cuda.mem_get_info()[0] if device.type == "cuda" else 4 * _GIB
        room = free / 2
    # Buffers double as they grow, and are copied then.
    return max(1, int(room / (3 * 2 * layers * heads * size * width)))
