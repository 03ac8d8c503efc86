"""What runs by the clock."""

from core.jobs.runner import Job, register
from kyc.services import badges, evidence

EXPIRE_CASES = register(
    Job(
        "kyc.expire_cases",
        "Close cases that have waited for papers for 30 days.",
        due=evidence.abandoned_cases,
        work=evidence.expire_case,
    )
)
END_BADGES = register(
    Job(
        "kyc.end_badges",
        "Take badges whose time is over off people's cards.",
        due=badges.people_with_ended_badges,
        work=badges.end_badges,
    )
)
