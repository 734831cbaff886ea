"""Tokens per CPU-second of SFT on one thread: our loop beside TRL's SFTTrainer, in one run.

    python benchmarks/sft_cpu.py [--steps 3] [--batch 64] [--only NAME …] [--installs]

Every mode trains the same Llama (7.3 million parameters, 8,192 tokens) on the same chats of
`chats.py`, in a process of its own, one after the other: `--steps` optimizer steps of `--batch`
chats, fp32, sdpa, AdamW, no recomputation, responses only. Counted is the process's own CPU time
from the first step to the last (so the machine's other load does not count as ours), over tokens
that are not padding. `--installs` also adds up what the two sets of packages take where this runs.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

TRAIN = ["torch", "transformers", "safetensors", "tokenizers", "peft"]
TRL = [*TRAIN, "trl", "datasets", "accelerate"]


def ours(base: Path, steps: int, batch: int, names: tuple[str, ...] | None) -> dict[str, float]:
    """`train_step`, or with signals `train_and_read`."""
    from benchmarks.chats import chats

    from seedbed.training.encode import Encoder
    from seedbed.training.feedback.reader import Memory, train_and_read, without_instruction
    from seedbed.training.loop import train_step
    from seedbed.training.opening import open_student
    from seedbed.training.settings import TrainSettings

    settings = TrainSettings(schedule="linear", warmup=0, device="cpu", precision="fp32")
    student = open_student(base, settings=settings, total=steps)
    examples = chats(steps * batch)
    encoded = student.encode(examples).kept
    held = student.encode(chats(8, seed=9)).kept
    encoder = Encoder(student.tokenizer, settings.max_length)
    texts = {example.id: example for example in examples}
    memory, loss = Memory(), 0.0
    begin = time.process_time()
    for start in range(0, len(encoded), batch):
        part = encoded[start : start + batch]
        if names is None:
            loss = train_step(student, part).loss
            continue
        step, _ = train_and_read(
            student,
            part,
            names=names,
            memory=memory,
            bare=lambda one: without_instruction(encoder, texts[one.id], one),
            reference=held,
        )
        loss = step.loss
    spent = time.process_time() - begin
    return {"tokens": sum(map(len, encoded)), "seconds": spent, "loss": loss}


def rival(base: Path, steps: int, batch: int, changes: Mapping[str, Any]) -> dict[str, float]:
    """SFTTrainer on the same chats; packed rows of 1,024 hold about as many chats per step."""
    import torch
    from benchmarks.chats import chats
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, TrainerCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from seedbed.training.opening import open_student
    from seedbed.training.settings import TrainSettings

    examples = chats(steps * batch)
    student = open_student(
        base, settings=TrainSettings(schedule="constant", warmup=0, device="cpu")
    )
    tokens = sum(map(len, student.encode(examples).kept))
    rows = [
        {
            "prompt": [{"role": "user", "content": example.instruction.text}],
            "completion": [{"role": "assistant", "content": example.response}],
        }
        for example in examples
    ]
    del student
    marks: list[float] = []

    class Clock(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            marks.append(time.process_time())

        def on_train_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.process_time())

    known = SFTConfig.__dataclass_fields__
    recompute = "activation_checkpointing"
    options = {
        "output_dir": tempfile.mkdtemp(),
        "report_to": "none",
        "bf16": False,
        recompute if recompute in known else "gradient_checkpointing": False,
        "use_cpu": True,
        "disable_tqdm": True,
        "save_strategy": "no",
        "logging_steps": 1,
        "completion_only_loss": True,
        "max_length": 1024,
        "num_train_epochs": 1,
        "lr_scheduler_type": "linear",
        "learning_rate": 2e-5,
        "per_device_train_batch_size": 16,
        "gradient_accumulation_steps": batch // 16,
        **changes,
    }
    model = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.float32, attn_implementation="sdpa"
    )
    trainer = SFTTrainer(
        model=model, args=SFTConfig(**options), train_dataset=Dataset.from_list(rows)
    )
    trainer.add_callback(Clock())
    trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    return {"tokens": tokens, "seconds": marks[-1] - marks[0], "loss": losses[-1]}


def _packed(rows: int, batch: int) -> dict[str, Any]:
    """bfd packing, `rows` rows of 1,024 in a pass; a step has about the tokens of `batch` chats."""
    return {
        "packing": True,
        "packing_strategy": "bfd",
        "per_device_train_batch_size": rows,
        "gradient_accumulation_steps": max(round(batch * 330 / 1024 / rows), 1),
    }


def modes(batch: int) -> dict[str, Callable[[Path, int], dict[str, float]]]:
    """What is measured, in this order."""
    from seedbed.training.feedback import CHEAP, NAMES

    def own(names: tuple[str, ...] | None) -> Callable[[Path, int], dict[str, float]]:
        return lambda base, steps: ours(base, steps, batch, names)

    def theirs(**changes: Any) -> Callable[[Path, int], dict[str, float]]:
        return lambda base, steps: rival(base, steps, batch, changes)

    within = tuple(name for name in CHEAP if name != "ifd")
    return {
        "ours": own(None),
        "ours, signals of the step itself": own(within),
        "ours, and IFD (a first epoch)": own(CHEAP),
        "ours, every signal": own(NAMES),
        "SFTTrainer padded, 16 a pass": theirs(),
        "SFTTrainer group_by_length": theirs(train_sampling_strategy="group_by_length"),
        "SFTTrainer packing bfd, 1 row a pass": theirs(**_packed(1, batch)),
        "SFTTrainer packing bfd, 5 rows a pass": theirs(**_packed(5, batch)),
        "ours again": own(None),
    }


def child(name: str, base: Path, steps: int, batch: int) -> None:
    import torch

    torch.set_num_threads(1)
    found = modes(batch)[name](base, steps)
    found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("RESULT " + json.dumps(found))


def imports() -> None:
    """CPU seconds until the first line of a training script can run."""
    for what in ("import seedbed.training.loop", "from trl import SFTConfig, SFTTrainer"):
        code = f"import time\n{what}\nprint(time.process_time())"
        times = [
            float(
                subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
            )
            for _ in range(3)
        ]
        print(f"| `{what}` | {min(times):.1f} CPU-s |")


def closure(names: Sequence[str]) -> set[str]:
    """The installed packages that these need, themselves among them, without extras."""
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            needed = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            continue  # for another platform or Python
        found.add(name)
        waiting += [one.name for one in needed if not one.marker or one.marker.evaluate()]
    return found


def installs() -> None:
    """Packages and megabytes of each set, as they are installed here."""
    from importlib.metadata import files

    for label, names in (("[train]", TRAIN), ("TRL's stack", TRL)):
        packages = closure(names)
        paths = {Path(str(f.locate())) for name in packages for f in files(name) or ()}
        size = sum(path.stat().st_size for path in paths if path.is_file())
        print(f"| {label} | {len(packages)} packages | {size / 1e6:,.0f} MB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--only", nargs="*", default=None)
    parser.add_argument("--installs", action="store_true")
    parser.add_argument("--child", nargs=2, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, base = options.child
        child(name, Path(base), options.steps, options.batch)
        return
    from benchmarks.chats import make_base

    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder))
        rows = {}
        for name in options.only or modes(options.batch):
            command = [
                sys.executable, "-m", "benchmarks.sft_cpu", "--child", name, str(base),
                "--steps", str(options.steps), "--batch", str(options.batch),
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True)
            lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
            if not lines:
                sys.exit(f"{name}: {done.stderr[-3000:]}")
            rows[name] = json.loads(lines[-1].removeprefix("RESULT "))
            print(f"{name}: {rows[name]}", file=sys.stderr, flush=True)
    print("| mode | tokens per CPU-s | of ours | CPU-s | peak RSS MB | last loss |")
    print("|---|---|---|---|---|---|")
    first = next(iter(rows.values()))
    for name, row in rows.items():
        rate, ours_rate = row["tokens"] / row["seconds"], first["tokens"] / first["seconds"]
        print(
            f"| {name} | {rate:,.0f} | {rate / ours_rate:.2f} (1 / {ours_rate / rate:.2f}) "
            f"| {row['seconds']:.1f} | {row['megabytes']:,.0f} | {row['loss']:.4f} |"
        )
    print()
    imports()
    if options.installs:
        installs()


if __name__ == "__main__":
    main()
