"""What runs by the clock."""

from campaigns.services import follows, reporting, updates
from core.jobs.runner import Job, register

ANNOUNCE_DEADLINES = register(
    Job(
        "campaigns.announce_deadlines",
        "Notify followers of campaigns that end within 48 hours.",
        due=follows.campaigns_ending_soon,
        work=follows.announce_deadline,
    )
)
ANNOUNCE_UPDATES = register(
    Job(
        "campaigns.announce_updates",
        "Notify the readers of scheduled updates that became visible.",
        due=updates.updates_to_announce,
        work=updates.announce_update,
    )
)
REMIND_OF_REPORTS = register(
    Job(
        "campaigns.remind_of_reports",
        "Remind owners of funded campaigns of the updates and annual reports that they owe.",
        due=reporting.campaigns_to_remind,
        work=reporting.remind_of_reports,
    )
)
