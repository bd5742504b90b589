"""Step three: measurements x windows x criteria -> evaluations, all plans in one pass.

Two pure steps: `requests` says which metrics to run as of which instants, `evaluate` scores what they gave.
"""

from __future__ import annotations

from pipmetrics.score.evaluate import evaluate
from pipmetrics.score.lines import requests
from pipmetrics.score.numbers import Measured
from pipmetrics.score.record import CriterionResult, Evaluations, PlanResult
from pipmetrics.score.sources import Reach, reach_of

__all__ = ["CriterionResult", "Evaluations", "Measured", "PlanResult", "Reach", "evaluate", "reach_of", "requests"]
