"""What each signal of training costs: CPU seconds of a step with it over those of a plain step.

    python benchmarks/signals.py [--batch 24] [--rounds 3] [--hidden 256]

One thread, the Llama of `chats.py`. Each signal is read alone on the same batch, then the sets;
rounds are interleaved and the cheapest of each counts. The head is a third of this model's work, of
an 8B's it is a fourteenth: what reads the head costs less there, a forward pass the same share.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.chats import chats, make_base

from seedbed.training.encode import Encoded, Encoder
from seedbed.training.feedback import CHEAP, FREE, NAMES
from seedbed.training.feedback.reader import Memory, train_and_read, without_instruction
from seedbed.training.loop import losses_of, train_step
from seedbed.training.opening import open_student
from seedbed.training.settings import TrainSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=256)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder), hidden_size=options.hidden)
        settings = TrainSettings(schedule="constant", warmup=0, device="cpu", precision="fp32")
        student = open_student(base, settings=settings)
        examples = chats(options.batch)
        texts = {example.id: example for example in examples}
        batch = student.encode(examples).kept
        reference = student.encode(chats(8, seed=9)).kept
        encoder = Encoder(student.tokenizer, settings.max_length)
        bares = {one.id: without_instruction(encoder, texts[one.id], one) for one in batch}

        def read(names: Sequence[str], *, later: bool, share: float = 1.0) -> float:
            memory = Memory(losses={one.id: 1.0 for one in batch} if later else {}, reference=1.0)
            begin = time.process_time()
            train_and_read(
                student,
                batch,
                names=names,
                memory=memory,
                bare=lambda one: bares[one.id],
                reference=reference,
                share=share,
            )
            return time.process_time() - begin

        def plain() -> float:
            begin = time.process_time()
            train_step(student, batch)
            return time.process_time() - begin

        def forward(rows: Sequence[Encoded]) -> float:
            begin = time.process_time()
            losses_of(student, rows)
            return time.process_time() - begin

        train_step(student, batch)  # warm
        cases: dict[str, Callable[[], float]] = {
            "(plain step)": plain,
            "(forward pass over the batch)": lambda: forward(batch),
        }
        cases |= {name: partial(read, [name], later=False) for name in NAMES}
        cases["set FREE"] = partial(read, FREE, later=False)
        cases["set CHEAP, first epoch"] = partial(read, CHEAP, later=False)
        cases["set CHEAP, later epochs"] = partial(read, CHEAP, later=True)
        cases["set NAMES (all), first epoch"] = partial(read, NAMES, later=False)
        cases["set NAMES (all), later epochs"] = partial(read, NAMES, later=True)
        for share in (0.25, 0.125):
            for later in (False, True):
                name = (
                    f"set NAMES (all), share {share}, {'later epochs' if later else 'first epoch'}"
                )
                cases[name] = partial(read, NAMES, later=later, share=share)
        spent: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(options.rounds):
            for name, case in cases.items():
                spent[name].append(case())
    plain_step = min(spent["(plain step)"])
    print(
        f"{options.batch} chats, {sum(map(len, batch)):,} tokens; a plain step {plain_step:.2f} s"
    )
    print("| signal | CPU-s | beside a plain step |")
    print("|---|---|---|")
    for name, times in spent.items():
        best = min(times)
        share = best / plain_step if name.startswith("(") else best / plain_step - 1
        print(f"| {name} | {best:.2f} | {share:+.1%} |")


if __name__ == "__main__":
    main()
