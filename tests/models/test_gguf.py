"""llama.cpp in process, with a GGUF file that is made here: the same weights, the same text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.students import make_base
from transformers import AutoModelForCausalLM, AutoTokenizer

from seedbed.errors import ConfigError
from seedbed.models.gguf import GgufModel, GgufSettings
from seedbed.models.local import LocalModel, LocalSettings
from seedbed.models.model import Model
from seedbed.records import Completion, Message, Request, Sampling

gguf = pytest.importorskip("gguf", reason="the gguf package writes the file")
pytest.importorskip("xllamacpp", reason="the extra [gguf] is not installed")

SMALL = GgufSettings(parallel=2, context=512, gpu=False)

BLOCK = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def write_gguf(base: Path, path: Path) -> None:
    """A Llama checkpoint as GGUF, in float32."""
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    writer = gguf.GGUFWriter(str(path), "llama")
    _write_shape(writer, model.config)
    _write_tokens(writer, base, model.config.vocab_size)
    names = {
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "lm_head": "output",
    }
    for layer in range(model.config.num_hidden_layers):
        names |= {f"model.layers.{layer}.{a}": f"blk.{layer}.{b}" for a, b in BLOCK.items()}
    weights = model.state_dict()
    heads = {
        "attn_q": model.config.num_attention_heads,
        "attn_k": model.config.num_key_value_heads,
    }
    for theirs, ours in names.items():
        tensor = weights[f"{theirs}.weight"].numpy()
        kind = ours.rpartition(".")[2]
        if kind in heads:  # GGUF turns pairs beside each other, Hugging Face halves
            count = heads[kind]
            halves = tensor.reshape(count, 2, tensor.shape[0] // count // 2, -1)
            tensor = halves.swapaxes(1, 2).reshape(tensor.shape)
        writer.add_tensor(f"{ours}.weight", np.ascontiguousarray(tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_shape(writer: Any, config: Any) -> None:
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(config.vocab_size)


def _write_tokens(writer: Any, base: Path, size: int) -> None:
    content = json.loads((base / "tokenizer.json").read_text())
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    added = {entry["id"]: entry["content"] for entry in content["added_tokens"]}
    known = {place: text for text, place in content["model"]["vocab"].items()} | added
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([known[place] for place in range(size)])
    writer.add_token_types([3 if place in added else 1 for place in range(size)])
    writer.add_token_merges([" ".join(pair) for pair in content["model"]["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_bos_token_id(tokenizer.eos_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_base(tmp_path_factory.mktemp("base"), initializer_range=0.3)
    write_gguf(folder, folder / "tiny.gguf")
    return folder


def ask(
    text: str, *, draw: int = 0, schema: dict[str, Any] | None = None, **sampling: Any
) -> Request:
    given: dict[str, Any] = {"temperature": 0.0, "max_tokens": 16} | sampling
    messages = (Message("user", text),)
    return Request(messages=messages, sampling=Sampling(**given), draw=draw, schema=schema)


async def answers(model: Model, requests: Sequence[Request]) -> list[Completion]:
    return await asyncio.gather(*(model.complete(request) for request in requests))


def test_it_writes_what_the_checkpoint_writes_and_obeys(base: Path) -> None:
    texts = ("sort the list", "count how many numbers are even", "red")
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}
    hot = [ask(texts[0], temperature=1.0, draw=draw) for draw in (0, 1, 1)]

    async def work() -> tuple[list[Completion], list[Completion]]:
        async with GgufModel(f"gguf/{base}/tiny.gguf", settings=SMALL) as model:
            ours = await answers(
                model,
                [*(ask(text) for text in texts), ask("red", schema=schema, max_tokens=60), *hot],
            )
        settings = LocalSettings(device="cpu", dtype="float32")
        async with LocalModel(base, settings=settings) as model:
            return ours, await answers(model, [ask(text) for text in texts])

    ours, theirs = asyncio.run(work())
    assert [one.text for one in ours[:3]] == [one.text for one in theirs]
    assert [one.usage.prompt_tokens for one in ours[:3]] == [
        one.usage.prompt_tokens for one in theirs
    ]
    assert ours[3].text.lstrip().startswith("{")
    first, second, again = (one.text for one in ours[4:])
    assert first != second == again


def test_a_file_that_is_none_is_refused_before_llama_cpp_sees_it(
    base: Path, tmp_path: Path
) -> None:
    (tmp_path / "wrong.gguf").write_bytes(b"PK" * 100)
    with pytest.raises(ConfigError, match="not a GGUF file"):
        GgufModel("gguf/wrong.gguf", home=tmp_path)
    with pytest.raises(ConfigError, match="no such file"):
        GgufModel("gguf/missing.gguf", home=tmp_path)
    (tmp_path / "cut.gguf").write_bytes((base / "tiny.gguf").read_bytes()[:5000])

    async def work() -> None:
        async with GgufModel("cut.gguf", home=tmp_path, settings=SMALL):
            raise AssertionError("a cut file was loaded")

    with pytest.raises(ConfigError, match=r"cut\.gguf: llama\.cpp cannot load it"):
        asyncio.run(work())


def test_the_name_follows_the_content(base: Path, tmp_path: Path) -> None:
    name = GgufModel(f"gguf/{base}/tiny.gguf").name
    assert name.startswith("gguf/tiny@")
    (tmp_path / "tiny.gguf").write_bytes((base / "tiny.gguf").read_bytes() + b"\0")
    assert GgufModel("gguf/tiny.gguf", home=tmp_path).name != name
