"""Pages, JSON API and sign-in: where people read what is said of them, and act on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipmetrics.web.app import create_app, serve
    from pipmetrics.web.sessions import make_link

__all__ = ["create_app", "make_link", "serve"]


def __getattr__(name: str) -> Any:
    """Loads the web framework only when it is asked for."""
    if name == "make_link":
        from pipmetrics.web.sessions import make_link

        return make_link
    if name in __all__:
        from pipmetrics.web import app

        return getattr(app, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
