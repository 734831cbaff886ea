"""Whether other trainers read what `seedbed export` writes for them, by their own code.

    python benchmarks/exports_load.py make OUT               # here: a small base, examples, exports
    TRL/bin/python benchmarks/exports_load.py trl OUT        # trl 1.16.0
    LF/bin/python  benchmarks/exports_load.py llama_factory OUT   # llamafactory==0.9.5
    AX/bin/python  benchmarks/exports_load.py axolotl OUT    # axolotl==0.19.0

LLaMA-Factory and Axolotl pin versions that exclude each other and ours, so each is checked from a
virtual environment of its own; torch from a CPU build first. LLaMA-Factory installs whole, but its
torchvision and torchaudio are builds for CUDA that do not load beside a CPU torch: uninstall both,
and put an empty module `torchaudio` on the path, which it imports and does not use for text. Of
Axolotl's dependencies, loading data needs none of the GPU and cloud packages: install it with
`--no-deps`, then what it pins of transformers, tokenizers, datasets, accelerate, peft, trl,
huggingface_hub, pydantic, numba, addict, fire, colorama, einops, evaluate, art, python-dotenv,
schedulefree, mistral-common, posthog, axolotl-contribs-lgpl and axolotl-contribs-mit.

Each check parses and validates the config, tokenizes the data, and compares every example's tokens
and labels with ours; the first difference is shown. Nothing here needs seedbed but `make`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

TEMPLATES = ("alpaca", "own", "chatml", "llama3")
PACKAGES = {"trl": "trl", "llama_factory": "llamafactory", "axolotl": "axolotl"}

Tokens = list[tuple[list[int], list[int]]]
"""Ids and labels (-100 where nothing is trained) of each example."""


def make(out: Path) -> None:
    """Write the base, the exports of each template, and how we encode the same."""
    from dataclasses import replace

    from tests.training.students import make_base, make_examples

    from seedbed.training.encode import Encoder, encode
    from seedbed.training.opening import load_tokenizer
    from seedbed.training.settings import SKILLMIX
    from seedbed.training.templates import use_template
    from seedbed.training.trainers import TRAINERS, write_trainer

    out.mkdir(parents=True, exist_ok=True)
    base = make_base(out / "base")
    examples = make_examples(40)
    examples[3] = replace(examples[3], input="red green\n\n  blue")
    examples[4] = replace(examples[4], response="Two lines,\n\nand 3 € for «you».")
    for name in TEMPLATES:
        settings = replace(SKILLMIX, template="" if name == "own" else name, precision="fp32")
        for trainer in TRAINERS:
            folder = out / f"{trainer}-{name}"
            write_trainer(examples, folder, trainer=trainer, settings=settings, base=str(base))
        tokenizer = load_tokenizer(base)
        use_template(tokenizer, settings.template)
        kept = encode(Encoder(tokenizer, settings.max_length), examples).kept
        rows = [(list(one.ids), _labels(one.ids, one.spans)) for one in kept]
        (out / f"expected-{name}.json").write_text(json.dumps(rows), encoding="utf-8")


def _labels(ids: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[int]:
    inside = {place for start, end in spans for place in range(start, end)}
    return [token if place in inside else -100 for place, token in enumerate(ids)]


def trl(folder: Path) -> tuple[Tokens, Mapping[str, Any]]:
    """Build the SFTTrainer of the script, and read what it would train on."""
    sys.path.insert(0, str(folder.resolve()))
    sys.modules.pop("train_trl", None)
    script: Any = importlib.import_module("train_trl")
    sys.path.pop(0)
    made = script.trainer(use_cpu=True, output_dir=str(folder / "out"))
    rows: Tokens = []
    for row in made.train_dataset:
        mask = row.get("completion_mask")
        labels = row["labels"] if mask is None else _masked(row["input_ids"], mask)
        rows.append((list(row["input_ids"]), list(labels)))
    size = made.args.train_batch_size * made.args.gradient_accumulation_steps
    return rows, {"step's examples": size, "warm-up": made.args.warmup_steps}


def _masked(ids: Sequence[int], mask: Sequence[int]) -> list[int]:
    return [token if keep else -100 for token, keep in zip(ids, mask, strict=True)]


def llama_factory(folder: Path) -> tuple[Tokens, Mapping[str, Any]]:
    """LLaMA-Factory's own parsing of the YAML, its template and its tokenized dataset."""
    parser: Any = importlib.import_module("llamafactory.hparams.parser")
    loader: Any = importlib.import_module("llamafactory.data.loader")
    template: Any = importlib.import_module("llamafactory.data.template")
    model: Any = importlib.import_module("llamafactory.model")
    yaml: Any = importlib.import_module("yaml")
    os.chdir(folder)
    options = yaml.safe_load(Path("train.yaml").read_text(encoding="utf-8"))
    model_args, data_args, training_args, *_ = parser.get_train_args(options)
    module = model.load_tokenizer(model_args)
    found = template.get_template_and_fix_tokenizer(module["tokenizer"], data_args)
    data = loader.get_dataset(found, model_args, data_args, training_args, stage="sft", **module)
    rows = [(list(row["input_ids"]), list(row["labels"])) for row in data["train_dataset"]]
    size = training_args.per_device_train_batch_size * training_args.gradient_accumulation_steps
    return rows, {"step's examples": size, "warm-up": training_args.warmup_steps}


def axolotl(folder: Path) -> tuple[Tokens, Mapping[str, Any]]:
    """Axolotl's own validation of the YAML and its prepared dataset."""
    os.environ["AXOLOTL_DO_NOT_TRACK"] = "1"
    config: Any = importlib.import_module("axolotl.cli.config")
    datasets: Any = importlib.import_module("axolotl.common.datasets")
    os.chdir(folder)
    found = config.load_cfg("train.yaml")
    data = datasets.load_datasets(cfg=found).train_dataset
    rows = [(list(row["input_ids"]), list(row["labels"])) for row in data]
    size = found.micro_batch_size * found.gradient_accumulation_steps
    return rows, {"step's examples": size, "warm-up": found.warmup_ratio}


CHECKS: Mapping[str, Callable[[Path], tuple[Tokens, Mapping[str, Any]]]] = {
    "trl": trl,
    "llama_factory": llama_factory,
    "axolotl": axolotl,
}


def check(trainer: str, out: Path) -> None:
    """A line for each template: how many examples have our tokens, and our labels."""
    print(f"{trainer} {version(PACKAGES[trainer])}")
    home = Path.cwd()
    for name in TEMPLATES:
        expected = json.loads((out / f"expected-{name}.json").read_text(encoding="utf-8"))
        found, facts = CHECKS[trainer]((out / f"{trainer}-{name}").resolve())
        os.chdir(home)
        pairs = _matched(found, expected)
        tokens = sum(ids == ours for (ids, _), (ours, _) in pairs)
        labels = sum(both == tuple(ours) for both, ours in pairs)
        print(
            f"  {name:8} {len(found)} of {len(expected)} examples; {tokens} have our tokens, "
            f"{labels} also our labels; {facts}"
        )
        if other := next((pair for pair in pairs if pair[0] != tuple(pair[1])), None):
            print(f"    first difference: {_difference(*other)}")


def _matched(found: Tokens, expected: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Each of ours with theirs of most common trained tokens: trainers may shuffle and sort."""

    def trained(labels: Sequence[int]) -> frozenset[tuple[int, int]]:
        kept = [label for label in labels if label != -100]
        return frozenset(enumerate(kept))

    left = [(pair, trained(pair[1])) for pair in found]
    pairs = []
    for ours in expected:
        wanted = trained(ours[1])
        best = max(left, key=lambda one: (one[0][0] == ours[0], len(one[1] & wanted)))
        left.remove(best)
        pairs.append((best[0], ours))
        if not left:
            break
    return pairs


def _difference(theirs: Any, ours: Any) -> str:
    for what, left, right in (("tokens", theirs[0], ours[0]), ("labels", theirs[1], ours[1])):
        if left != right:
            place = next(
                (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
                min(len(left), len(right)),
            )
            return (
                f"{what} at {place} of {len(left)} (ours {len(right)}): "
                f"{left[place : place + 4]} for our {right[place : place + 4]}"
            )
    return "none"


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        check(sys.argv[1], Path(sys.argv[2]))
