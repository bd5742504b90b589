from pipmetrics.store import Store
from pipmetrics.store.engine import reading
from pipmetrics.store.migrate import differences


def test_the_migrations_make_the_declared_tables(store: Store) -> None:
    with reading(store.engine) as connection:
        assert differences(connection) == []
