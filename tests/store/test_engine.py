from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func

from pipmetrics.errors import Refused, StoreError, UsageError
from pipmetrics.store import Store
from pipmetrics.store.engine import reading, writing
from pipmetrics.store.tables import SIGNAL
from tests.conftest import NOW
from tests.store.facts import change, page


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("nothing", "is not one"),
        ("mysql://localhost/x", "no database that pipmetrics can use"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql+psycopg2://h/d", "driver"),
    ],
)
def test_an_address_that_is_none_is_a_usage_error_with_a_mend(url: str, what: str) -> None:
    with pytest.raises(UsageError, match=what) as error:
        Store.open(url, now=NOW)
    assert error.value.mend


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file") as error:
        Store.open(f"sqlite:///{tmp_path}/none/store.db", now=NOW)
    assert "none/store.db" in error.value.where


def test_a_file_that_is_no_store_is_an_error_that_helps(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("dear diary, " * 100)
    with pytest.raises(StoreError, match="not a database") as error:
        Store.open(f"sqlite:///{tmp_path}/store.db", now=NOW)
    assert "check `store`" in error.value.mend


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as error:
        Store.open(f"postgresql+psycopg://pip:hunter2@/none?host={tmp_path}", now=NOW)
    assert "hunter2" not in str(error.value)
    assert "***" in str(error.value)


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch(0o644)
    store = Store.open(f"sqlite:///{path}", now=NOW)
    store.write("hub", page(change(1)), NOW)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    store.close()


def test_a_store_opened_twice_migrates_once(store: Store, store_url: str) -> None:
    again = Store.open(store_url, now=NOW)
    assert len(again.runs()) == 1
    again.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_that_open_a_new_store_at_once_both_succeed(
    kind: str, tmp_path: Path, new_database: Callable[..., str]
) -> None:
    url = f"sqlite:///{tmp_path}/new.db" if kind == "sqlite" else new_database("template1")
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: Store.open(url, now=NOW), range(4)))
    assert len(stores[0].runs()) == 1
    for opened in stores:
        opened.close()


def test_a_store_of_a_newer_version_is_refused(store: Store, store_url: str) -> None:
    with writing(store.engine, "future") as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="is at version 9999") as error:
        Store.open(store_url, now=NOW)
    assert "newer" in error.value.mend


def test_writers_wait_for_each_other_and_lose_nothing(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: store.write("hub", page(change(number)), NOW), range(1, 41)))
    assert len(store.signals()) == 80
    assert store.revision() == 40


def test_a_reader_sees_one_state_while_a_writer_commits(store: Store) -> None:
    store.write("hub", page(change(1)), NOW)
    with reading(store.engine) as connection:
        count = func.count().select().select_from(SIGNAL)
        before = connection.execute(count).scalar()
        store.write("hub", page(change(2)), NOW)
        assert connection.execute(count).scalar() == before


def test_an_interrupted_transaction_leaves_nothing(store: Store) -> None:
    def interrupt() -> None:
        with writing(store.engine, "page") as connection:
            connection.exec_driver_sql("DELETE FROM signal")
            raise KeyboardInterrupt

    store.write("hub", page(change(1)), NOW)
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert len(store.signals()) == 2


def test_a_full_disk_is_an_error_and_the_transaction_is_undone(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/store.db", now=NOW)
    with store.engine.connect() as connection:  # the pool keeps this one connection, and it the limit
        connection.exec_driver_sql("PRAGMA max_page_count = 100")

    def fill() -> None:
        for number in range(1, 500):
            store.write("hub", page(change(number, reviews=20)), NOW)

    with pytest.raises(StoreError, match="full") as error:
        fill()
    assert "space" in error.value.mend
    assert set(store.signals()["subject"].value_counts()) == {21}
    store.close()


def test_a_locked_database_is_an_error_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipmetrics.store.engine.PATIENCE_MS", 50)
    store = Store.open(f"sqlite:///{tmp_path}/store.db", now=NOW)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked") as error:
        store.write("hub", page(change(1)), NOW)
    assert "Another program" in error.value.mend
    other.execute("ROLLBACK")
    other.close()
    store.write("hub", page(change(1)), NOW)
    store.close()


def test_a_lost_connection_is_an_error_and_the_next_transaction_connects_anew(
    new_database: Callable[[], str],
) -> None:
    store = Store.open(new_database(), now=NOW)
    plain = store.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")

    def lose() -> None:
        with reading(store.engine) as connection, psycopg.connect(plain, autocommit=True) as killer:
            session = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            killer.execute("SELECT pg_terminate_backend(%s)", [session])
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreError, match="terminating connection"):
        lose()
    store.write("hub", page(change(1)), NOW)
    assert len(store.signals()) == 2
    store.close()


def test_the_lease_is_held_by_one_run_at_a_time(store: Store, store_url: str) -> None:
    other = Store.open(store_url, now=NOW)
    with (
        store.leased(NOW),
        pytest.raises(Refused, match=r"another run goes on: .* since 2026-11-24 02:30 UTC"),
        other.leased(NOW),
    ):
        raise AssertionError("two runs at once")
    with other.leased(NOW):
        pass
    other.close()


def test_the_lease_is_given_back_after_an_error(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.leased(NOW):
        raise ZeroDivisionError
    with store.leased(NOW) as held:
        held.write("hub", page(change(1)), NOW)


def test_a_run_whose_lease_went_to_another_writes_nothing_more(store: Store) -> None:
    with store.leased(NOW) as held:
        with writing(store.engine, "takeover") as connection:
            connection.exec_driver_sql("UPDATE lease SET holder = 'somebody else'")
        with pytest.raises(Refused, match="took over"):
            held.write("hub", page(change(1)), NOW)
    assert len(store.signals()) == 0
