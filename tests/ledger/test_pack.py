from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pipmetrics.ledger import Act, standalone
from pipmetrics.ledger.pack import concerning, pack
from pipmetrics.store import Store
from pipmetrics.store.engine import writing
from tests.conftest import NOW


@pytest.fixture
def filled(store: Store) -> Store:
    for number in range(1, 5):
        store.append(
            [Act("check_in", f"plan:{'ada' if number % 2 else 'bob'}", "dana", {"note": f"ünïcode\n{number}"})], NOW
        )
    store.append([Act("sign", "plan:ada", "ada", {})], NOW)
    with writing(store.engine, "erase") as connection:
        connection.exec_driver_sql("UPDATE payload SET salt = NULL, body = NULL WHERE seq IN (2, 4)")
    store.append([Act("erase", "person:bob", "hr", {"entries": [2, 4]})], NOW)
    return store


def told(path: Path, *arguments: str) -> tuple[int, str]:
    """What the script says when it is run alone, without our package."""
    script = Path(standalone.__file__)
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(path), *arguments],
        capture_output=True,
        text=True,
        cwd=path.parent,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_the_standalone_verifier_is_short_and_needs_the_standard_library_alone() -> None:
    text = Path(standalone.__file__).read_text()
    assert len(text.splitlines()) < 60
    assert {line for line in text.splitlines() if line.startswith(("import", "from"))} == {
        "import hashlib", "import json", "import sys", "from typing import Any",
    }  # fmt: skip


def test_a_pack_is_verified_without_this_program(filled: Store, tmp_path: Path) -> None:
    path = tmp_path / "pack.jsonl"
    path.write_text("".join(pack(filled.record())))
    head = filled.head()
    assert told(path, str(head)) == (0, f"INTACT 6 entries (0 without their payloads, 2 erased), head {head}")
    assert told(path, f"{head.seq + 1}:{head.hash}")[0] == 1


def test_a_pack_for_one_person_shows_their_entries_alone_and_still_verifies(filled: Store, tmp_path: Path) -> None:
    record = filled.record()
    path = tmp_path / "pack.jsonl"
    path.write_text("".join(pack(record, concerning(record, {"plan:ada"}))))
    shown = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["seq"] for line in shown if "body" in line] == [1, 3, 5, 6]
    assert told(path)[1].startswith("INTACT 6 entries (2 without their payloads, 0 erased)")


def test_a_changed_pack_is_found_out(filled: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line dropped, doubled, swapped and every field changed, in this process to be quick."""
    lines = "".join(pack(filled.record())).splitlines(keepends=True)
    path, head = tmp_path / "pack.jsonl", str(filled.head())
    chance = random.Random(1)

    def is_broken(changed: list[str]) -> bool:
        path.write_text("".join(changed))
        try:
            standalone.main(str(path), head)
        except SystemExit as ended:
            return str(ended).startswith("BROKEN")
        except (ValueError, AttributeError, TypeError):  # salt or text of another kind
            return True
        return False

    assert not is_broken(lines)
    for place in range(1, len(lines)):
        if "signature" not in lines[place]:  # a lone checkpoint that is left out shows in the store alone
            assert is_broken(lines[:place] + lines[place + 1 :])
            assert is_broken([*lines[:place], lines[place], *lines[place:]])
        if place > 1:
            assert is_broken([*lines[: place - 1], lines[place], lines[place - 1], *lines[place + 1 :]])
        line = json.loads(lines[place])
        for name in set(line) - {"at", "key", "signature"} if "signature" in line else line:
            value = line[name]
            other = value + 1 if isinstance(value, int) else (value or "") + chance.choice("0a}")
            assert is_broken([*lines[:place], json.dumps({**line, name: other}) + "\n", *lines[place + 1 :]]), name
    assert "INTACT" in capsys.readouterr().out
