"""datatrove's inference runner on the calls that the other clients make; run by `peers.py`.

With `--extra checkpoints` it keeps its own durable cache, one commit for each answer.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.writers import JsonlWriter


async def rollout(document: Document, generate: Any) -> Any:
    return await generate({"messages": [{"role": "user", "content": document.text}]})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--conc", type=int, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--out")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--extra", default="")
    args = parser.parse_args()
    durable = args.extra == "checkpoints"
    config = InferenceConfig(
        server_type="endpoint",
        endpoint_url=args.url.removesuffix("/v1"),
        model_name_or_path="mock",
        max_concurrent_generations=args.conc,
        max_concurrent_documents=args.conc,
    )
    name = "${rank}_chunk_${chunk_index}.jsonl" if durable else "${rank}.jsonl"
    runner = InferenceRunner(
        rollout_fn=rollout,
        config=config,
        output_writer=JsonlWriter(str(args.work / "out"), output_filename=name, compression=None),
        checkpoints_local_dir=str(args.work / "checkpoints") if durable else None,
    )
    documents = (
        Document(text=f"[{number}] Write a short instruction about it.", id=str(number))
        for number in range(args.n)
    )
    runner.run(documents)


if __name__ == "__main__":
    main()
