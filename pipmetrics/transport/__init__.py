"""One policy for retries, limits, origins and shapes under all three client libraries.

    wire = Wire(source.url, folder=settings.folder)
    session = mount(requests.Session(), wire)

A client whose session is mounted this way gets good answers or a `SourceError`, never anything in between: it must
not repeat, wait or follow redirects on its own. The wire counts what it sent, so that a run can say what it cost.
"""

from pipmetrics.transport.rulings import Budget, Policy
from pipmetrics.transport.secrecy import Redacting, hide, reveal
from pipmetrics.transport.wire import Wire, mount

__all__ = ["Budget", "Policy", "Redacting", "Wire", "hide", "mount", "reveal"]
