from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipmetrics.ledger import fingerprint


def frame() -> pd.DataFrame:
    return pd.DataFrame({
        "key": pd.array(["a", None, "c"], dtype="str"),
        "at": pd.to_datetime(["2026-01-01T00:00:00Z", None, "2026-01-02T00:00:00Z"]).as_unit("us"),
        "value": [0.0, np.nan, 1.5],
        "detail": [{"b": 1, "a": [2]}, {}, ("x", "y")],
    })  # fmt: skip


def test_the_same_content_has_the_same_fingerprint() -> None:
    other = frame()
    other["value"] = [-0.0, -np.nan, 1.5]
    other["detail"] = [{"a": [2], "b": 1}, {}, ["x", "y"]]
    assert fingerprint(frame(), {"x": 1}) == fingerprint(other, {"x": 1})


@pytest.mark.parametrize(
    ("column", "value"),
    [("key", "b"), ("at", pd.Timestamp("2026-01-01T00:00:01Z")), ("value", 0.1), ("detail", {"b": 2})],
)
def test_every_value_counts(column: str, value: object) -> None:
    other = frame()
    other.at[0, column] = value
    assert fingerprint(other) != fingerprint(frame())


def test_order_names_and_bounds_of_parts_count() -> None:
    assert fingerprint(frame()) != fingerprint(frame().iloc[::-1])
    assert fingerprint(frame()) != fingerprint(frame().rename(columns={"key": "k"}))
    assert fingerprint(frame(), frame()) != fingerprint(frame())
    assert fingerprint(["a"], ["b"]) != fingerprint(["a", "b"])
    assert fingerprint(1) != fingerprint("1")
