"""The first tables, and the triggers that keep the ledger append-only."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")

SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no entry is changed'); END
    """,
    """
    CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no entry is deleted'); END
    """,
    """
    CREATE TRIGGER entry_in_sequence BEFORE INSERT ON entry
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entry)
      OR NEW.previous <> coalesce((SELECT hash FROM entry ORDER BY seq DESC LIMIT 1), '')
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry follows the last one, without a gap'); END
    """,
    """
    CREATE TRIGGER payload_only_emptied BEFORE UPDATE ON payload
    WHEN NEW.seq <> OLD.seq OR NEW.salt IS NOT NULL OR NEW.body IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a payload can be emptied, not changed'); END
    """,
    """
    CREATE TRIGGER payload_once BEFORE INSERT ON payload
    WHEN EXISTS (SELECT 1 FROM payload WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no payload is replaced'); END
    """,
    """
    CREATE TRIGGER payload_no_delete BEFORE DELETE ON payload
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no payload is deleted'); END
    """,
    """
    CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no checkpoint is changed'); END
    """,
    """
    CREATE TRIGGER checkpoint_once BEFORE INSERT ON checkpoint
    WHEN EXISTS (SELECT 1 FROM checkpoint WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no checkpoint is replaced'); END
    """,
    """
    CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no checkpoint is deleted'); END
    """,
)

POSTGRESQL_TRIGGERS = (
    """
    CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the ledger is append-only: no % is changed or deleted', TG_TABLE_NAME; END $$
    """,
    """
    CREATE FUNCTION ledger_sequence() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entry)
        OR NEW.previous <> coalesce((SELECT hash FROM entry ORDER BY seq DESC LIMIT 1), '')
      THEN RAISE EXCEPTION 'the ledger is append-only: an entry follows the last one, without a gap'; END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION ledger_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.seq <> OLD.seq OR NEW.salt IS NOT NULL OR NEW.body IS NOT NULL
      THEN RAISE EXCEPTION 'the ledger is append-only: a payload can be emptied, not changed'; END IF;
      RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER entry_no_change BEFORE UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON entry EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER entry_in_sequence BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION ledger_sequence()",
    "CREATE TRIGGER payload_only_emptied BEFORE UPDATE ON payload FOR EACH ROW EXECUTE FUNCTION ledger_emptied()",
    "CREATE TRIGGER payload_no_delete BEFORE DELETE ON payload FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER payload_no_truncate BEFORE TRUNCATE ON payload EXECUTE FUNCTION ledger_refuse()",
    """
    CREATE TRIGGER checkpoint_no_change BEFORE UPDATE OR DELETE ON checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse()
    """,
    "CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON checkpoint EXECUTE FUNCTION ledger_refuse()",
)


def word(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, WORD, nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, WHOLE, nullable=null, autoincrement=False)


def facts() -> list[sa.Column[Any]]:
    return [
        word("source"), word("key"), word("group"), word("kind"), word("subject"), whole("at"),
        word("actor", null=True), word("mark"), sa.Column("value", REAL_NUMBER), word("url"),
        word("detail"), whole("revision"),
    ]  # fmt: skip


def account() -> list[sa.Column[Any]]:
    return [
        word("source"), word("id"), word("login"), word("email", null=True), word("mark"), whole("first_seen"),
        whole("last_seen"), whole("revision"),
    ]  # fmt: skip


def table(name: str, columns: Sequence[sa.Column[Any]], key: tuple[str, ...], *more: sa.Constraint) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"), *more, sqlite_strict=True)


def follows_entry(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["seq"], ["entry.seq"], name=f"fk_{name}_seq_entry")


def upgrade() -> None:
    create_facts()
    create_progress()
    create_ledger()
    for statement in SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS:
        op.execute(statement)
    op.execute("INSERT INTO revision (id, number) VALUES (1, 0)")


def create_facts() -> None:
    table("signal", facts(), ("source", "key"))
    op.create_index("ix_signal_source_signal_group", "signal", ["source", "group"])
    op.create_index("ix_signal_kind_signal_at", "signal", ["kind", "at"])
    op.create_index("ix_signal_subject", "signal", ["subject"])
    op.create_index("ix_signal_source_signal_actor", "signal", ["source", "actor"])
    table("signal_past", [*facts(), whole("ended")], ("source", "key", "revision"))
    op.create_index("ix_signal_past_kind_signal_past_at", "signal_past", ["kind", "at"])
    table("account", account(), ("source", "id", "login"))
    table("account_past", [*account(), whole("ended")], ("source", "id", "login", "revision"))
    table("revision", [whole("id"), whole("number")], ("id",))
    table("erased", [word("source"), word("fingerprint")], ("source", "fingerprint"))


def create_progress() -> None:
    table("bookmark", [word("source"), word("name"), word("value")], ("source", "name"))
    table("stale", [word("source"), word("repository")], ("source", "repository"))
    table("pulled", [word("source"), whole("at")], ("source",))
    table("gap", [word("source"), word("part"), word("reason"), whole("since", null=True)], ("source", "part"))
    run: list[sa.Column[Any]] = [
        whole("id"), word("kind"), word("slot"), whole("started"), whole("ended", null=True), word("outcome"),
        word("counts"), whole("requests"), whole("retried"), word("sources"),
    ]  # fmt: skip
    table("run", run, ("id",))
    op.create_index("ix_run_kind_run_started", "run", ["kind", "started"])
    table("lease", [word("name"), word("holder"), whole("since")], ("name",))
    table("delivery", [word("key"), whole("at")], ("key",))


def create_ledger() -> None:
    entry: list[sa.Column[Any]] = [
        whole("seq"), whole("at"), word("actor"), word("act"), word("subject"), word("payload_hash"), word("previous"),
        word("hash"),
    ]  # fmt: skip
    table("entry", entry, ("seq",), sa.UniqueConstraint("hash", name="uq_entry_hash"))
    op.create_index("ix_entry_subject_entry_act", "entry", ["subject", "act"])
    op.create_index("ix_entry_act", "entry", ["act"])
    body: list[sa.Column[Any]] = [whole("seq"), sa.Column("salt", sa.LargeBinary()), word("body", null=True)]
    table("payload", body, ("seq",), follows_entry("payload"))
    signature = sa.Column("signature", sa.LargeBinary(), nullable=False)
    checkpoint: list[sa.Column[Any]] = [whole("seq"), whole("at"), word("head"), word("key"), signature]
    table("checkpoint", checkpoint, ("seq",), follows_entry("checkpoint"))
    table("document", [word("hash"), word("owner"), word("body")], ("hash",))
    op.create_index("ix_document_owner", "document", ["owner"])
    columns = ("plan", "as_of", "version", "plan_hash", "inputs_hash")
    once = sa.UniqueConstraint(*columns, name="uq_evaluation_" + "_".join(columns))
    evaluation: list[sa.Column[Any]] = [
        whole("seq"), word("plan"), whole("as_of"), word("version"), word("plan_hash"), word("inputs_hash"),
        word("result_hash"),
    ]  # fmt: skip
    table("evaluation", evaluation, ("seq",), follows_entry("evaluation"), once)


def downgrade() -> None:
    raise NotImplementedError("the ledger is append-only: there is nothing before the first tables")
