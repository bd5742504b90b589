"""What people do about a plan: contest, attest, check in, support, sign, amend, decide. All of it in the ledger."""

from pipmetrics.acts.fold import blamed, fold
from pipmetrics.acts.life import (
    OUTCOMES,
    Amendment,
    Decision,
    Life,
    Outcome,
    PlanState,
    Side,
    Signature,
    Version,
    lives,
)
from pipmetrics.acts.plans import (
    Proposal,
    acts_before,
    all_lives,
    edited,
    life_of,
    plan_in_force,
    plans_in_force,
)
from pipmetrics.acts.record import (
    answer_dispute,
    attest,
    blame,
    check_in,
    confirm_support,
    decide,
    decide_dispute,
    dispute,
    hold,
    pause,
    propose_amendment,
    record_baselines,
    record_reading,
    roles_of,
    sign_amendment,
    sign_digest,
    sign_plan,
    support,
)

__all__ = [
    "OUTCOMES", "Amendment", "Decision", "Life", "Outcome", "PlanState", "Proposal", "Side", "Signature", "Version",
    "acts_before", "all_lives", "answer_dispute", "attest", "blame", "blamed", "check_in", "confirm_support", "decide",
    "decide_dispute", "dispute", "edited", "fold", "hold", "life_of", "lives", "pause", "plan_in_force",
    "plans_in_force", "propose_amendment", "record_baselines", "record_reading", "roles_of", "sign_amendment",
    "sign_digest", "sign_plan", "support",
]  # fmt: skip
