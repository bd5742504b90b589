"""store copy, backup, restore and check on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipmetrics.store.measurements import TABLES
from tests.organisation import cli, cli_json, opened
from tests.store.dump import dump


def test_a_backup_restores_to_the_same_store(life: Path, tmp_path: Path) -> None:
    told = cli_json("store", "backup", tmp_path / "kept.db", folder=life)
    assert told["rows"]["signal"] > 0
    assert told["head"] == cli_json("verify", folder=life)["head"]
    other = tmp_path / "other"
    shutil.copytree(life, other, ignore=shutil.ignore_patterns("*.db*"))
    assert "restored: " in cli("store", "restore", tmp_path / "kept.db", folder=other).stdout
    with opened(life) as before, opened(other) as after:
        held, found = dump(before.store), dump(after.store)
    for derived in TABLES:  # the next night makes them anew
        del held[derived.name], found[derived.name]
    assert found == held
    assert "intact" in cli("store", "check", folder=other).stdout


def test_a_copy_goes_into_an_empty_store_alone(life: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/copy.db"
    assert "copied: " in cli("store", "copy", url, folder=life).stdout
    assert "not empty" in cli("store", "copy", url, folder=life, code=2).stderr
    assert "exists already" in cli("store", "backup", tmp_path / "copy.db", folder=life, code=2).stderr
    assert "there is no backup" in cli("store", "restore", tmp_path / "none.db", folder=life, code=2).stderr
    assert "no database that pipmetrics can use" in cli("store", "copy", "mysql://x", folder=life, code=2).stderr


def test_a_store_that_is_damaged_is_told(life: Path) -> None:
    assert cli_json("store", "check", folder=life) == {"ok": True, "problems": []}
    with opened(life) as company, company.store.engine.begin() as connection:
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        connection.exec_driver_sql("UPDATE entry SET actor = 'eve' WHERE seq = 2")
    assert "broken at entry 2" in cli("store", "check", folder=life, code=3).stdout


def test_a_file_that_is_no_store_is_told(folder: Path) -> None:
    for path in folder.glob("pipmetrics.db*"):
        path.unlink()
    (folder / "pipmetrics.db").write_text("not a database at all, only text\n" * 100)
    result = cli("evaluate", folder=folder, code=1)
    assert "not a database" in result.stderr
    assert "check `store` in pipmetrics.yaml" in result.stderr
