"""Views for reports of BI tools: runs, sources, and results of plans by week.

No view names a person. A plan is a number, that of its first evaluation in the ledger: whoever may read the ledger can
tell which it is, nobody else. What is erased or has expired is in no view any more.

A later migration that rebuilds a table that a view reads has to drop and make the view again.
"""

from collections.abc import Mapping

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RUNS = """
CREATE VIEW bi_runs AS
SELECT id AS run, kind, {started} AS started, {ended} AS ended,
       (ended - started) / CAST(1000000 AS DOUBLE PRECISION) AS seconds,
       CASE outcome WHEN '' THEN 'not ended' ELSE outcome END AS outcome, requests, retried,
       {added} AS added, {changed} AS changed, {removed} AS removed, {recorded} AS recorded,
       {delivered} AS delivered, {not_delivered} AS not_delivered
FROM run
"""
SOURCES = """
CREATE VIEW bi_sources AS
SELECT name.source, {complete} AS last_complete,
       (SELECT count(*) FROM gap WHERE gap.source = name.source) AS gaps,
       (SELECT count(*) FROM gap WHERE gap.source = name.source AND gap.part = '') AS failed
FROM (SELECT source FROM pulled UNION SELECT source FROM gap) AS name
LEFT JOIN pulled ON pulled.source = name.source
"""
LATEST = """
CREATE VIEW bi_latest AS
SELECT seq, plan, as_of, week, first_value(seq) OVER (PARTITION BY plan, week ORDER BY as_of DESC, seq DESC) AS latest,
       min(seq) OVER (PARTITION BY plan) AS number
FROM (SELECT seq, plan, as_of, {week} AS week FROM evaluation) AS each
"""
RESULTS = """
CREATE VIEW bi_results AS
SELECT bi_latest.number AS plan, bi_latest.week, {as_of} AS as_of, {kind} AS kind, {verdict} AS verdict,
       {score} AS score, {coverage} AS coverage, {day} AS day, {days} AS days
FROM bi_latest JOIN payload ON payload.seq = bi_latest.seq
WHERE bi_latest.seq = bi_latest.latest AND payload.body IS NOT NULL
"""
CRITERIA = """
CREATE VIEW bi_criteria AS
SELECT bi_latest.number AS plan, bi_latest.week, {c_id} AS criterion, {c_metric} AS metric, {c_verdict} AS verdict,
       {c_value} AS value, {c_target} AS target, {c_n} AS n, {c_low} AS low, {c_high} AS high
FROM bi_latest JOIN payload ON payload.seq = bi_latest.seq {each}
WHERE bi_latest.seq = bi_latest.latest AND payload.body IS NOT NULL
"""
VIEWS = (RUNS, SOURCES, LATEST, RESULTS, CRITERIA)
COUNTS = ("added", "changed", "removed", "recorded", "delivered", "not_delivered")
WORDS, NUMBERS = ("kind", "verdict"), ("score", "coverage", "day", "days")


def _sqlite() -> Mapping[str, str]:
    def instant(column: str) -> str:
        return f"strftime('%Y-%m-%dT%H:%M:%SZ', {column} / 1000000, 'unixepoch')"

    return {
        "started": instant("started"),
        "ended": instant("ended"),
        "complete": instant("pulled.at"),
        "as_of": instant("bi_latest.as_of"),
        # The Monday of the week that an instant belongs to; that of a week's end belongs to the week before.
        "week": "date((as_of - 1) / 1000000, 'unixepoch', 'weekday 0', '-6 days')",
        **{name: f"coalesce(json_extract(counts, '$.{name}'), 0)" for name in COUNTS},
        **{name: f"json_extract(payload.body, '$.result.plans[0].{name}')" for name in (*WORDS, *NUMBERS)},
        "each": "JOIN json_each(payload.body, '$.result.plans[0].criteria') AS one",
        **{f"c_{name}": f"json_extract(one.value, '$.{name}')" for name in ("id", "metric", "verdict")},
        **{f"c_{name}": f"json_extract(one.value, '$.{name}')" for name in ("value", "target", "n")},
        "c_low": "json_extract(one.value, '$.interval[0]')",
        "c_high": "json_extract(one.value, '$.interval[1]')",
    }


def _postgresql() -> Mapping[str, str]:
    def instant(column: str) -> str:
        return f"to_timestamp({column} / 1000000.0)"

    plan = "payload.body::jsonb #> '{result,plans,0}'"
    return {
        "started": instant("started"),
        "ended": instant("ended"),
        "complete": instant("pulled.at"),
        "as_of": instant("bi_latest.as_of"),
        "week": "date_trunc('week', to_timestamp((as_of - 1) / 1000000.0) AT TIME ZONE 'UTC')::date",
        **{name: f"coalesce((counts::jsonb ->> '{name}')::bigint, 0)" for name in COUNTS},
        **{name: f"({plan}) ->> '{name}'" for name in WORDS},
        **{name: f"(({plan}) ->> '{name}')::double precision" for name in NUMBERS},
        "each": f"CROSS JOIN LATERAL jsonb_array_elements(({plan}) -> 'criteria') AS one",
        **{f"c_{name}": f"one ->> '{name}'" for name in ("id", "metric", "verdict")},
        **{f"c_{name}": f"(one ->> '{name}')::double precision" for name in ("value", "target", "n")},
        "c_low": "(one -> 'interval' ->> 0)::double precision",
        "c_high": "(one -> 'interval' ->> 1)::double precision",
    }


SQLITE = tuple(view.format(**_sqlite()) for view in VIEWS)
POSTGRESQL = tuple(view.format(**_postgresql()) for view in VIEWS)


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for name in ("criteria", "results", "latest", "sources", "runs"):
        op.execute(f"DROP VIEW bi_{name}")
