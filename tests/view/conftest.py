"""What the tests of the view share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.view.worlds import Begin

from seedbed.folder import RunFolder
from seedbed.view.indexing import Indexer


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begins to index a run, as often as asked; all are closed in the end."""
    with ExitStack() as stack:

        def indexing(folder: RunFolder) -> Indexer:
            (tmp_path / "index").mkdir(exist_ok=True)
            return stack.enter_context(closing(Indexer(folder, tmp_path / "index")))

        yield indexing
