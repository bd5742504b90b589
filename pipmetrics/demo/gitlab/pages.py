"""Pages of REST: by offset with its headers and its limit, by keyset where the documentation offers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from pipmetrics.demo.service import Request, Response

MOST, USUAL = 100, 20
OFFSETS = 50_000
"""Rows that can be skipped by page numbers."""
COUNTED = 10_000
"""Longer lists do not tell their total, nor their last page."""


class Bad(Exception):
    """A parameter that GitLab refuses with 400."""


def number(request: Request, name: str, usual: int) -> int:
    text = request.ask(name, str(usual))
    if not text.isdigit() or int(text) < 1:
        raise Bad(f"{name} does not have a valid value")
    return int(text)


def url(request: Request, changes: Mapping[str, object]) -> str:
    query: dict[str, Any] = {**request.query, **{name: [value] for name, value in changes.items()}}
    return f"{request.origin}{request.path}?{urlencode(query, doseq=True)}"


def paged(request: Request, rows: Sequence[Any]) -> Response:
    """A page by number. Rows beyond the limit of offsets are refused."""
    page, size = number(request, "page", 1), min(MOST, number(request, "per_page", USUAL))
    if page * size > OFFSETS:
        return Response.of({"error": f"Offset pagination has a maximum allowed offset of {OFFSETS}"}, 405)
    last = max(1, -(-len(rows) // size))
    ways = {"first": 1} | ({"prev": page - 1} if page > 1 else {}) | ({"next": page + 1} if page < last else {})
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Next-Page": str(page + 1) if page < last else "",
        "X-Prev-Page": str(page - 1) if page > 1 else "",
    }
    if len(rows) <= COUNTED:
        ways["last"] = last
        headers |= {"X-Total": str(len(rows)), "X-Total-Pages": str(last)}
    links = ", ".join(f'<{url(request, {"page": at, "per_page": size})}>; rel="{way}"' for way, at in ways.items())
    found = Response.of(list(rows[(page - 1) * size : page * size]))
    return Response(found.status, found.body, {**found.headers, **headers, "Link": links})


def keyset(request: Request, rows: Sequence[Mapping[str, Any]]) -> Response:
    """A page after an id, in ascending order."""
    if request.ask("order_by") != "id":
        raise Bad("keyset pagination is not available for this order_by")
    after, size = int(request.ask("id_after", "0")), min(MOST, number(request, "per_page", USUAL))
    ahead = sorted((row for row in rows if row["id"] > after), key=lambda row: int(row["id"]))
    found = Response.of(ahead[:size])
    following = url(request, {"id_after": ahead[size - 1]["id"]}) if len(ahead) > size else ""
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    return Response(found.status, found.body, {**found.headers, **headers})
