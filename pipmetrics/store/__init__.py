"""The only user of a database: signals in, frames out, what the runs leave behind, and the ledger's rows."""

from pipmetrics.store.entries import Recorded
from pipmetrics.store.evaluations import Evaluated
from pipmetrics.store.progress import Run
from pipmetrics.store.signals import Written, repository_of
from pipmetrics.store.store import Store

__all__ = ["Evaluated", "Recorded", "Run", "Store", "Written", "repository_of"]
