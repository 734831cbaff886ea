"""What the tests of the report share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runs import TROUBLE, config, run

from seedbed.report import make_report
from seedbed.report.document import Document


@pytest.fixture(scope="session")
def practice_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 examples by the practice teacher, with trouble of every kind."""
    home = tmp_path_factory.mktemp("practice")
    run(config(home, count=60, teacher=TROUBLE))
    return home / "run"


@pytest.fixture(scope="session")
def practice_report(practice_run: Path) -> Document:
    return make_report([practice_run])
