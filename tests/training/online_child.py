"""A process that tunes an online student and may be killed: base, journal's folder, batches, out.

Prints a line after each answered batch; at the end writes all answers.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.training.students import online_batches, online_student

from seedbed.journal import Journal
from seedbed.training.feedback.lines import signals_to_json


async def main(base: Path, folder: Path, count: int) -> None:
    answers = []
    with Journal(folder / "journal.db") as journal, online_student(base, journal) as student:
        for batch in online_batches(count):
            answers.append(signals_to_json(await student.feedback(batch)))
            sys.stdout.write(f"{len(answers)}\n")
            sys.stdout.flush()
        answers.append({"probe": await student.probe(online_batches(1)[0])})
        answers.append({"trained": student.steps_trained})
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
