"""Where it all comes from: settings, versions, digests, files."""

from __future__ import annotations

from seedbed.report.document import Block, Prose, Section, Table
from seedbed.report.measures import Measured
from seedbed.report.wording import brief, count, spoken


def provenance(measured: Measured) -> Section:
    run = measured.run
    manifest = run.manifest
    made = {
        "recipe": run.recipe,
        "teacher": str(manifest["teacher"]),
        "judge": str(manifest.get("judge", "")),
        "seed": str(manifest["seed"]),
        "seedbed": str(manifest["seedbed"]),
        "python": str(manifest.get("python", "")),
    }
    rows = [(name, brief(value, 120)) for name, value in {**made, **run.settings}.items() if value]
    digests = manifest.get("digests", {})
    rows += [
        (f"digest: {spoken(name)}", brief(str(value), 70))
        for name, value in digests.items()
        if value
    ]
    blocks: list[Block] = [
        Table(
            head=("what", "value"),
            rows=rows,
            texts=True,
            caption="How it was made",
            source="manifest.json and config.toml.",
        ),
        Table(
            head=("file", "bytes"),
            rows=[
                (path.name, count(path.stat().st_size))
                for path in sorted(run.folder.path.iterdir())
                if path.is_file() and not path.name.startswith(".")
            ],
            caption="What lies in the folder",
            source=f"The folder {run.name}, as it was when this report was made.",
        ),
    ]
    blocks += [Prose(f"Note of the run: {brief(str(note), 400)}") for note in manifest["notes"]]
    blocks += [Prose(brief(note, 400)) for note in run.unread]
    return Section(id=measured.id("provenance"), title="Where it comes from", blocks=blocks)
