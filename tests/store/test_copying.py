from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipmetrics.errors import StoreError, UsageError
from pipmetrics.ledger import Act, verify
from pipmetrics.model import Account
from pipmetrics.store import Store, copying
from pipmetrics.store.engine import writing
from tests.conftest import NOW
from tests.ledger.attacks import intruder
from tests.store.dump import dump
from tests.store.facts import change, page
from tests.store.test_evaluations import ONE


@pytest.fixture
def filled(store: Store) -> Store:
    store.write("hub", page(change(1, reviews=3), change(2), accounts=[Account("hub", "7", "ada")], seen=1), NOW)
    store.write("hub", page(change(1, reviews=2), change(3, title="ünï \ud800")), NOW)
    store.complete("hub", NOW)
    store.append([Act("read", "plan:ada", "dana", {"n": number}) for number in range(60)], NOW)
    store.append([Act("sign", "plan:ada", "ada", {"ok": True})], NOW)
    store.record_evaluations([ONE], "scheduler", NOW)
    store.end_run(store.runs()[0])
    return store


@pytest.fixture(params=["sqlite", "postgresql"])
def target(
    request: pytest.FixtureRequest, filled: Store, tmp_path: Path, new_database: Callable[..., str]
) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/target.db" if request.param == "sqlite" else new_database()
    opened = Store.open(url, now=NOW, key=filled.key and filled.key.path)
    yield opened
    opened.close()


def test_a_store_moves_to_another_database_as_it_is(filled: Store, target: Store) -> None:
    copied = copying.copy(filled, target)
    assert dump(target) == dump(filled)
    assert (copied.rows["entry"], copied.head) == (62, str(filled.head()))
    assert target.revision() == filled.revision()
    assert target.signals(revision=1).equals(filled.signals(revision=1))
    assert target.runs() == filled.runs()
    assert verify(target) == verify(filled)
    target.append([Act("read", "plan:ada", "dana", {})], NOW)
    assert not target.write("hub", page(change(2)), NOW)
    assert verify(target).ok


def test_a_store_that_holds_something_is_not_copied_over(filled: Store, target: Store) -> None:
    target.write("lab", page(change(9, source="lab")), NOW)
    with pytest.raises(UsageError, match="not empty: it has rows in signal"):
        copying.copy(filled, target)
    assert set(target.signals()["source"]) == {"lab"}


def test_a_backup_restores_to_the_same_store(filled: Store, target: Store, tmp_path: Path) -> None:
    path = tmp_path / "backup.db"
    copying.backup(filled, path, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    copying.restore(path, target, NOW)
    assert path.read_bytes() == before
    assert dump(target) == dump(filled)
    assert copying.integrity(target) == []
    with pytest.raises(UsageError, match="exists already"):
        copying.backup(filled, path, NOW)
    with pytest.raises(UsageError, match="no backup"):
        copying.restore(tmp_path / "none.db", target, NOW)


def test_a_damaged_backup_is_not_restored(filled: Store, target: Store, tmp_path: Path) -> None:
    path = tmp_path / "backup.db"
    copying.backup(filled, path, NOW)
    whole = path.read_bytes()
    for place in range(8192, len(whole), len(whole) // 12):
        path.write_bytes(whole[:place] + bytes(64) + whole[place + 64 :])
        try:
            copying.restore(path, target, NOW)
        except StoreError:
            assert len(target.signals()) == 0
        else:  # the zeros fell on what nobody reads
            assert dump(target) == dump(filled)
            return


def test_a_broken_ledger_is_named_by_the_integrity_check(filled: Store) -> None:
    assert copying.integrity(filled) == []
    with intruder(filled) as intrusion:
        intrusion.run("UPDATE entry SET actor = 'eve' WHERE seq = 7")
        intrusion.connection.commit()
    [problem] = copying.integrity(filled)
    assert problem.startswith("the ledger is broken at entry 7")


def test_a_backup_of_a_broken_ledger_is_refused_and_leaves_no_file(filled: Store, tmp_path: Path) -> None:
    with intruder(filled) as intrusion:
        intrusion.run("UPDATE entry SET actor = 'eve' WHERE seq = 7")
        intrusion.connection.commit()
    with pytest.raises(StoreError, match="broken at entry 7"):
        copying.backup(filled, tmp_path / "backup.db", NOW)
    assert not list(tmp_path.glob("backup*"))


def test_a_broken_ledger_is_not_copied(filled: Store, target: Store) -> None:
    with intruder(filled) as intrusion:
        intrusion.run("UPDATE entry SET actor = 'eve' WHERE seq = 7")
        intrusion.connection.commit()
    with pytest.raises(StoreError, match="broken at entry 7"):
        copying.copy(filled, target)
    assert target.head().seq == 0


def test_a_row_that_points_nowhere_is_found(tmp_path: Path, migrated: tuple[str, Path]) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/x.db", now=NOW)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        raw = connection.connection.driver_connection
        assert raw is not None
        connection.rollback()
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("INSERT INTO checkpoint VALUES (5, 0, '', '', x'00')")
    assert copying.integrity(store) == ["a row of checkpoint points nowhere"]
    store.close()


def test_a_long_act_list_is_appended_in_order(store: Store) -> None:
    store.append([Act("read", "plan:ada", "dana", {"n": number}) for number in range(200)], NOW)
    assert [entry.payload["n"] for entry in store.entries()] == list(range(200))
    assert verify(store).ok


def test_an_interrupted_copy_leaves_the_target_empty(
    filled: Store, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(copying, "_digest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        copying.copy(filled, target)
    assert len(target.signals()) == 0
    with writing(target.engine, "again"):
        pass
