"""Attention inside of segments, against the architectures' own attention on each example alone."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    CohereConfig,
    DeepseekV3Config,
    Gemma2Config,
    Gemma3TextConfig,
    Glm4Config,
    GPT2Config,
    GPTNeoXConfig,
    GraniteConfig,
    LlamaConfig,
    MistralConfig,
    MixtralConfig,
    Olmo2Config,
    Phi3Config,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
    Qwen3MoeConfig,
)

from seedbed.errors import ConfigError
from seedbed.training.attention import NAME, attend, segments_of

SHAPE: Any = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}

PLAIN: Any = {key: value for key, value in SHAPE.items() if key != "head_dim"}

ARCHITECTURES: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**SHAPE),
    "mistral, narrow window": MistralConfig(**SHAPE, sliding_window=5),
    "qwen2": Qwen2Config(**SHAPE),
    "qwen3": Qwen3Config(**SHAPE),
    "gemma2, soft caps": Gemma2Config(
        **SHAPE, sliding_window=5, attn_logit_softcapping=2.0, final_logit_softcapping=3.0,
        query_pre_attn_scalar=16,
    ),
    "gemma3, narrow window": Gemma3TextConfig(**SHAPE, sliding_window=5),
    "cohere": CohereConfig(**PLAIN),
    "deepseek v3": DeepseekV3Config(
        **PLAIN | {"num_key_value_heads": 4}, moe_intermediate_size=16, n_routed_experts=8,
        q_lora_rank=8, kv_lora_rank=8, qk_rope_head_dim=8, qk_nope_head_dim=8, v_head_dim=8,
        num_experts_per_tok=2, n_group=1, topk_group=1,
    ),
    "glm4": Glm4Config(**SHAPE),
    "gpt-2, learned positions": GPT2Config(
        vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_positions=128, bos_token_id=1
    ),
    "gpt-neox": GPTNeoXConfig(**{k: v for k, v in PLAIN.items() if k != "num_key_value_heads"}),
    "granite": GraniteConfig(**PLAIN),
    "mixtral": MixtralConfig(**PLAIN, num_local_experts=4),
    "olmo2": Olmo2Config(**PLAIN),
    "phi3": Phi3Config(**PLAIN),
    "qwen3 moe": Qwen3MoeConfig(
        **SHAPE, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16
    ),
}  # fmt: skip

LENGTHS = (7, 1, 16, 4)


def model_of(config: PreTrainedConfig, attention: str) -> Any:
    torch.manual_seed(1)
    build: Any = AutoModelForCausalLM.from_config
    return build(deepcopy(config), attn_implementation=attention, dtype=torch.float32).train(False)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_packed_row_is_what_each_example_is_alone(name: str) -> None:
    ours = model_of(ARCHITECTURES[name], NAME)
    theirs = model_of(ARCHITECTURES[name], "eager")
    theirs.load_state_dict(ours.state_dict())
    texts = [torch.randint(3, 64, (1, length)) for length in LENGTHS]
    with torch.no_grad():
        packed = ours(
            input_ids=torch.cat(texts, 1),
            position_ids=torch.cat([torch.arange(length) for length in LENGTHS])[None],
            segments=segments_of(LENGTHS, device=torch.device("cpu")),
            use_cache=False,
        ).logits
        alone = torch.cat([theirs(input_ids=text, use_cache=False).logits for text in texts], 1)
    assert torch.allclose(packed, alone, atol=1e-5)
    assert (packed[0, 1:] - packed[0, :-1]).abs().max() > 1e-3


def test_what_cannot_be_packed_is_refused() -> None:
    query = torch.zeros(1, 2, 4, 8)
    with pytest.raises(ConfigError, match="sinks"):
        attend(torch.nn.Identity(), query, query, query, None, s_aux=torch.zeros(2))
    with pytest.raises(ConfigError, match="cache"):
        attend(torch.nn.Identity(), query[:, :, :1], query, query, None)
