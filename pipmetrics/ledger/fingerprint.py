"""One hash of everything that a scoring read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pipmetrics.ledger.chain import body_of, framed

if TYPE_CHECKING:
    import pandas as pd

    from pipmetrics.model import Json


def fingerprint(*parts: pd.DataFrame | Json) -> str:
    """SHA-256, hexadecimal, over frames (column by column, in their order of rows) and JSON values."""
    total = hashlib.sha256()
    for part in parts:
        if hasattr(part, "columns"):
            total.update(framed("frame", len(part), *map(str, part.columns)))
            for name in part.columns:
                total.update(hashlib.sha256(_column(part[name])).digest())
        else:
            total.update(framed("json", body_of(part)))
    return total.hexdigest()


def _column(values: pd.Series[Any]) -> bytes:
    import numpy as np
    import pandas as pd

    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        return values.astype("int64").to_numpy().tobytes()
    if values.dtype.kind in "iufb":
        numbers = values.to_numpy(dtype="float64") + 0.0  # makes one zero of two
        return np.where(np.isnan(numbers), np.nan, numbers).tobytes()
    texts = [None if value is None or value != value else value for value in values.tolist()]
    return body_of(texts).encode()
