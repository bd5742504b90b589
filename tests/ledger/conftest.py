from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipmetrics.store import Store
from tests.conftest import NOW


@pytest.fixture
def migrated_copy(migrated: tuple[str, Path], tmp_path: Path) -> Iterator[Store]:
    """An empty store on SQLite."""
    shutil.copy(migrated[1], tmp_path / "store.db")
    opened = Store.open(f"sqlite:///{tmp_path}/store.db", now=NOW, key=tmp_path / "ledger.key")
    yield opened
    opened.close()
