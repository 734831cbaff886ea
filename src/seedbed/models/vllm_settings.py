"""How a vLLM server that is started here runs, as its command line says it."""

from __future__ import annotations

from dataclasses import dataclass

from seedbed.errors import ConfigError

_OURS = {
    *("--host", "--port", "--uds", "--api-key", "--served-model-name", "--model"),
    *("--max-num-seqs", "--max-model-len", "--dtype", "--tensor-parallel-size", "-tp"),
    *("--kv-cache-memory-bytes", "--generation-config", "--ssl-keyfile", "--ssl-certfile"),
}
"""Arguments that other settings say, or that this needs as they are."""

_SECRET = "--hf-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmSettings:
    """How vLLM runs.

    Args:
        rows: requests that it writes at once; more wait in its queue.
        context: the most tokens of prompt and answer together; None: what the model allows.
        dtype: of the weights; "auto" leaves it to vLLM.
        gpus: over how many the model is spread (tensor parallelism).
        cache_gib: memory for keys and values, on each GPU; 0: what vLLM finds free.
        options: more arguments of `vllm serve`; part of the model's name, since they may change
            answers.
        timeout: seconds for one answer.

    Raises:
        ConfigError: an option that another setting says, or that holds a secret.
    """

    rows: int = 256
    context: int | None = None
    dtype: str = "auto"
    gpus: int = 1
    cache_gib: float = 0.0
    options: tuple[str, ...] = ()
    timeout: float = 600.0

    def __post_init__(self) -> None:
        for option in self.options:
            name = option.partition("=")[0].replace("_", "-")
            if name == _SECRET:
                raise ConfigError(
                    f"options: {name}: they become part of the model's name, and a secret must not",
                    hint="Leave it out: vLLM fetches nothing here. Put the token into HF_TOKEN.",
                )
            if name in _OURS:
                raise ConfigError(
                    f"options: {name} is set by Seedbed",
                    hint="Use rows, context, dtype, gpus or cache_gib, or serve the model "
                    "yourself and give its `base_url`.",
                )

    @property
    def arguments(self) -> list[str]:
        """For `vllm serve`. Sampling is what a request says and nothing else."""
        told = ["--generation-config", "vllm", "--max-num-seqs", str(self.rows)]
        told += ["--max-model-len", str(self.context)] if self.context else []
        told += ["--dtype", self.dtype] if self.dtype != "auto" else []
        told += ["--tensor-parallel-size", str(self.gpus)] if self.gpus > 1 else []
        size = int(self.cache_gib * 2**30)
        told += ["--kv-cache-memory-bytes", str(size)] if size else []
        return [*told, *self.options]
