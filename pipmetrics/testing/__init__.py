"""Contract tests: what the author of a connector, a metric or a criterion runs on their own plugin.

    from pipmetrics.testing import check_connector

    def test_it_keeps_the_contract(service):
        check_connector(MyConnector, Source("mine", "my", service.url, token=Secret("${MY_TOKEN}")), since=SINCE)

Each check goes through all rules and raises one ContractBroken that names every rule that was broken, and where. The
rules are those of `pipmetrics.plugin` and docs/signals.md; the built-in plugins are held to the same ones.
"""

from pipmetrics.testing.connectors import check_connector
from pipmetrics.testing.criteria import check_criterion
from pipmetrics.testing.faults import ContractBroken, Fault
from pipmetrics.testing.metrics import check_metric, facts_of

__all__ = ["ContractBroken", "Fault", "check_connector", "check_criterion", "check_metric", "facts_of"]
