"""Pages of lists that may change while they are read: a cursor names the last key seen, not a place."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipmetrics.demo.github.limits import Refusal


def stamp(at: datetime) -> str:
    """As GitHub writes instants: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cursor(key: Sequence[Any]) -> str:
    return base64.b64encode(b"cursor:v2:" + json.dumps(key).encode()).decode()


def _key(cursor: str) -> list[Any]:
    try:
        text = base64.b64decode(cursor, validate=True).removeprefix(b"cursor:v2:")
        key: list[Any] = json.loads(text)
    except ValueError:
        raise Refusal("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.") from None
    return key


def connection(
    things: Iterable[Any], args: Mapping[str, Any], key: Callable[[Any], Sequence[Any]], *, descending: bool = False
) -> dict[str, Any]:
    """One page, sorted by `key`, from behind the cursor `after`."""
    keyed = sorted(((list(key(thing)), thing) for thing in things), key=lambda pair: pair[0], reverse=descending)
    total, before = len(keyed), 0
    if args.get("after"):
        last = _key(args["after"])
        rest = [pair for pair in keyed if (pair[0] < last if descending else pair[0] > last)]
        before, keyed = total - len(rest), rest
    if args.get("last") is not None and args.get("first") is None:
        page = keyed[-args["last"] :] if args["last"] else []
        more, before = False, before + len(keyed) - len(page)
    else:
        page = keyed[: args.get("first") or 0]
        more = len(page) < len(keyed)
    return {
        "totalCount": total,
        "nodes": [thing for _, thing in page],
        "pageInfo": {
            "hasNextPage": more,
            "hasPreviousPage": before > 0,
            "startCursor": _cursor(page[0][0]) if page else None,
            "endCursor": _cursor(page[-1][0]) if page else None,
        },
    }


def in_order(things: Iterable[Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """One page of a list that keeps its order."""
    kept = list(things)
    places = {id(thing): place for place, thing in enumerate(kept)}
    return connection(kept, args, lambda thing: [places[id(thing)]])
