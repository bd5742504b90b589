"""Measurements that are kept from one night to the next, and how to find what changed since."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    op.create_index("ix_signal_revision", "signal", ["revision"])
    op.create_index("ix_signal_past_ended", "signal_past", ["ended"])
    op.create_table(
        "recipe",
        _whole("id"),
        _word("text"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipe")),
        sa.UniqueConstraint("text", name=op.f("uq_recipe_text")),
        sqlite_strict=True,
    )
    _by_key("measured", ("recipe", "person"), _whole("recipe"), _word("person"), _word("calendar"))
    columns: tuple[sa.Column[int] | sa.Column[str] | sa.Column[float], ...] = (
        _whole("recipe"),
        *map(_word, ("person", "source", "key", "subject")),
        _whole("start"),
        _whole("end", null=True),
        sa.Column("value", REAL_NUMBER, nullable=True),
        _word("reason"),
        sa.Column("url", WORD, nullable=True),
        _word("more"),
    )
    _by_key("measurement", ("recipe", "person", "source", "key"), *columns)
    op.create_index("ix_measurement_subject", "measurement", ["subject"])
    op.create_table(
        "kept",
        *map(_whole, ("id", "revision", "at")),
        _word("identities"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept")),
        sqlite_strict=True,
    )


def _by_key(name: str, key: Sequence[str], *columns: sa.Column[int] | sa.Column[str] | sa.Column[float]) -> None:
    constraint = sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}"))
    op.create_table(name, *columns, constraint, sqlite_strict=True, sqlite_with_rowid=False)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, WORD, nullable=False)


def _whole(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, WHOLE, nullable=null, autoincrement=False)


def downgrade() -> None:
    raise NotImplementedError("an older pipmetrics does not know how to tell what changed")
