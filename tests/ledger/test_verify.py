from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from pipmetrics.errors import StoreError, UsageError
from pipmetrics.ledger import Act, Head, KeyFile, anchor, verify
from pipmetrics.store import Store
from pipmetrics.store.engine import writing
from pipmetrics.store.entries import Snapshot
from tests.conftest import NOW
from tests.ledger.attacks import ATTACKS, DELETES, Attack, intruder

LENGTH = 24
SEEDS = {"sqlite": 100, "postgresql": 8}


@pytest.fixture
def filled(store: Store) -> Store:
    """Reads and check-ins, a signature at every sixth entry, the last one included."""
    for number in range(1, LENGTH + 1):
        act = "sign" if number % 6 == 0 else "check_in"
        store.append([Act(act, "plan:ada", "dana", {"n": number, "note": "ä" * number})], NOW + timedelta(hours=number))
    return store


def test_an_honest_ledger_is_intact_and_says_what_protects_it(filled: Store) -> None:
    filled.append([Act("read", "plan:ada", "ada", {})], NOW)
    found = verify(filled)
    assert found.ok, found
    assert (found.entries, found.checkpoints, found.unsigned, found.erased) == (LENGTH + 1, 4, 1, 0)
    assert found.head == filled.head()
    assert verify(filled, found.head).ok


def test_an_empty_ledger_is_intact(store: Store) -> None:
    assert verify(store).ok
    assert store.head() == Head(0, "")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_is_detected_wherever_it_strikes(filled: Store, attack: Attack) -> None:
    """At the first, a middle and the last entry, with many seeds each."""
    noted = filled.head()
    with intruder(filled) as intrusion:
        assert intrusion.verified().ok
        for seed in range(SEEDS[filled.engine.dialect.name]):
            chance = random.Random(f"{attack.__name__} {seed}")
            for seq in (1, chance.randrange(2, LENGTH), LENGTH):
                with intrusion.trial():
                    attack(intrusion, seq, chance)
                    cut = seq == LENGTH and attack in DELETES  # all that is left of it is what people noted down
                    found = intrusion.verified(noted if cut else None)
                assert not found.ok, (attack, seq, seed)
                assert found.why


def test_a_cut_tail_is_detected_by_the_anchor(filled: Store) -> None:
    noted = filled.head()
    for keep in (0, 1, LENGTH // 2, LENGTH - 1):
        with intruder(filled) as intrusion:
            for table in ("checkpoint", "payload", "entry"):
                intrusion.run(f"DELETE FROM {table} WHERE seq > :keep", keep=keep)
            assert intrusion.verified().ok
            found = intrusion.verified(noted)
        assert (found.ok, found.seq) == (False, keep + 1)
        assert "the tail was cut" in found.why


def test_a_tail_cut_without_its_checkpoints_is_detected_at_once(filled: Store) -> None:
    with intruder(filled) as intrusion:
        for table in ("payload", "entry"):
            intrusion.run(f"DELETE FROM {table} WHERE seq > 20")
        found = intrusion.verified()
    assert (found.ok, found.seq) == (False, 24)


def test_a_history_rewritten_with_all_its_checkpoints_is_detected_by_the_anchor(filled: Store) -> None:
    noted = filled.head()
    with intruder(filled) as intrusion:
        intrusion.run("UPDATE entry SET act = 'check_in' WHERE act = 'sign'")
        intrusion.run("DELETE FROM checkpoint")
        intrusion.rechain(1)
        assert intrusion.verified().ok
        assert not intrusion.verified(noted).ok


def test_verify_names_the_first_bad_entry(filled: Store) -> None:
    for seq in (1, 7, LENGTH):
        with intruder(filled) as intrusion:
            intrusion.run("UPDATE entry SET actor = 'eve' WHERE seq >= :seq", seq=seq)
            assert intrusion.verified().seq == seq


@pytest.fixture
def small(migrated_copy: Store) -> Store:
    """A ledger that has everything: a signature, an emptied payload and the erasure that names it."""
    migrated_copy.append([Act("attest", "plan:a", "d", {"w": "x"})], NOW)
    migrated_copy.append([Act("sign", "plan:a", "a", {})], NOW)
    with writing(migrated_copy.engine, "erase") as connection:
        connection.exec_driver_sql("UPDATE payload SET salt = NULL, body = NULL WHERE seq = 1")
    migrated_copy.append([Act("erase", "person:a", "h", {"entries": [1]})], NOW)
    assert verify(migrated_copy).ok
    return migrated_copy


def test_every_single_bit_counts(small: Store) -> None:
    whole = small.record()
    flips = 0
    for part in ("entries", "payloads", "checkpoints"):
        held = getattr(whole, part)
        for place, row in enumerate(held):
            for field in fields(row):
                for bit in range(_bits(getattr(row, field.name))):
                    raw = _flipped(getattr(row, field.name), bit)
                    flips += 1
                    if raw is None:  # no text any more: a database does not even read it
                        continue
                    changed = [*held[:place], replace(row, **{field.name: raw}), *held[place + 1 :]]
                    found = verify(Taken(replace(whole, **{part: changed})))
                    assert not found.ok, (part, row, field.name, bit)
    assert flips > 5000


def test_a_bit_that_flips_in_the_database_counts(small: Store) -> None:
    """A sample of the same through the database, texts that are no UTF-8 included."""
    chance, refused = random.Random(6), 0
    with intruder(small) as intrusion:
        for _ in range(300):
            table = chance.choice(["entry", "payload", "checkpoint"])
            columns = [row[1] for row in intrusion.connection.exec_driver_sql(f"PRAGMA table_info({table})")]
            row = chance.choice(intrusion.run(f"SELECT seq, * FROM {table}").all())
            column = chance.choice([n for n in range(len(columns)) if _bits(row[n + 1])])
            literal = _literal(row[column + 1], chance.randrange(_bits(row[column + 1])))
            with intrusion.trial():
                try:
                    intrusion.run(f"UPDATE {table} SET {columns[column]} = {literal} WHERE seq = {row[0]}")
                except DBAPIError:  # the number of another entry: a primary key does not take it
                    refused += 1
                    continue
                assert not intrusion.verified().ok, (table, columns[column], literal)
    assert refused < 30


@dataclass(frozen=True)
class Taken:
    snapshot: Snapshot

    def record(self) -> Snapshot:
        return self.snapshot


def _bits(value: object) -> int:
    if isinstance(value, int):
        return 64
    raw = value.encode() if isinstance(value, str) else value
    return 8 * len(raw) if isinstance(raw, bytes) else 0


def _flipped(value: int | str | bytes, bit: int) -> int | str | bytes | None:
    if isinstance(value, int):
        number = (value ^ (1 << bit)) & (2**64 - 1)
        return number - 2**64 if number >> 63 else number
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    raw[bit // 8] ^= 1 << (bit % 8)
    if isinstance(value, bytes):
        return bytes(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _literal(value: int | str | bytes, bit: int) -> str:
    if isinstance(value, int):
        return str(_flipped(value, bit))
    raw = _flipped(value.encode() if isinstance(value, str) else value, bit)
    assert isinstance(raw, bytes)
    return f"CAST(x'{raw.hex()}' AS TEXT)" if isinstance(value, str) else f"x'{raw.hex()}'"


def test_the_database_itself_refuses_change(filled: Store) -> None:
    for statement in (
        "UPDATE entry SET actor = 'eve' WHERE seq = 3",
        "DELETE FROM entry WHERE seq = 24",
        "INSERT INTO entry VALUES (26, 0, 'a', 'read', 's', '', '', 'x')",
        "INSERT INTO entry VALUES (25, 0, 'a', 'read', 's', '', 'wrong', 'x')",
        "UPDATE payload SET body = '{}' WHERE seq = 3",
        "DELETE FROM payload WHERE seq = 24",
        "UPDATE checkpoint SET head = '' WHERE seq = 6",
        "DELETE FROM checkpoint WHERE seq = 6",
    ):
        with pytest.raises(StoreError, match=r"append-only"), writing(filled.engine, "attack") as connection:
            connection.exec_driver_sql(statement)
    assert verify(filled).ok


def test_sqlite_does_not_replace_what_it_may_not_update(migrated_copy: Store) -> None:
    migrated_copy.append([Act("sign", "plan:ada", "ada", {})], NOW)
    for statement in (
        "INSERT OR REPLACE INTO entry VALUES (1, 0, 'a', 'read', 's', '', '', 'x')",
        "INSERT OR REPLACE INTO payload VALUES (1, x'00', '{}')",
        "INSERT OR REPLACE INTO checkpoint VALUES (1, 0, '', '', x'00')",
    ):
        with pytest.raises(StoreError, match=r"append-only"), writing(migrated_copy.engine, "attack") as connection:
            connection.exec_driver_sql(statement)
    assert verify(migrated_copy).ok


def test_two_writers_never_fork_the_chain(store: Store) -> None:
    def write(writer: int) -> None:
        for number in range(50):
            store.append([Act("read", "plan:ada", f"w{writer}", {"n": number})], NOW)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    assert verify(store).entries == 100
    assert verify(store).ok


def test_a_ledger_without_its_keys_does_not_pass(filled: Store) -> None:
    assert filled.key
    filled.key.public_path.unlink()
    found = verify(filled)
    assert (found.ok, found.seq) == (False, 6)
    assert "unknown key" in found.why


def test_a_new_key_signs_on_and_the_old_checkpoints_still_hold(filled: Store) -> None:
    assert filled.key
    filled.key.path.unlink()
    filled.append([Act("sign", "plan:ada", "ada", {})], NOW)
    assert len(filled.key.public()) == 2
    assert verify(filled).ok


def test_the_signing_key_is_for_its_owner_alone(filled: Store) -> None:
    assert filled.key
    assert filled.key.path.stat().st_mode & 0o777 == 0o600


def test_a_key_is_made_where_files_cannot_be_linked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    store.append([Act("sign", "plan:ada", "ada", {})], NOW)
    assert store.key
    assert store.key.path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in store.key.path.parent.glob("ledger.key*")) == ["ledger.key", "ledger.key.pub"]
    assert verify(store).ok


def test_a_folder_that_takes_no_key_is_named(store_url: str) -> None:
    store = Store.open(store_url, now=NOW, key="/proc/none/ledger.key")
    with pytest.raises(StoreError, match="cannot write the signing key") as error:
        store.append([Act("sign", "plan:ada", "ada", {})], NOW)
    assert error.value.where == "/proc/none/ledger.key"
    assert store.head().seq == 0
    store.close()


@pytest.mark.parametrize("damage", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_file_is_named(store: Store, damage: str) -> None:
    assert isinstance(store.key, KeyFile)
    store.key.path.write_text(damage)
    with pytest.raises(StoreError, match="not a key file") as error:
        store.append([Act("sign", "plan:ada", "ada", {})], NOW)
    assert error.value.where == str(store.key.path)
    assert store.head().seq == 0


@pytest.mark.parametrize("text", ["", "7", "7:", "7:xyz", "0:12345678", "7:1234567", "-7:12345678"])
def test_an_anchor_that_is_none_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="is no anchor"):
        anchor(text)


def test_an_anchor_may_be_cut_to_eight_digits(filled: Store) -> None:
    noted = filled.head()
    assert verify(filled, anchor(f"{noted.seq}:{noted.hash[:8]}")).ok
    assert not verify(filled, anchor(f"{noted.seq}:{'0' * 8}")).ok
    assert not verify(filled, anchor(f"{noted.seq - 1}:{noted.hash[:8]}")).ok
