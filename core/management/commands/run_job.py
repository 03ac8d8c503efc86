from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.jobs.commands import moment_of, run_with_progress
from core.jobs.runner import all_jobs


class Command(BaseCommand):
    help = "Run a job now, as the schedule does. Without a name: list the jobs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job", nargs="?", help="such as kyc.expire_cases")
        parser.add_argument("--dry-run", action="store_true", help="only say how much is due")
        parser.add_argument(
            "--at", metavar="INSTANT", help="as if it were this moment (RFC 3339, such as 2026-12-31T23:59:59Z)"
        )
        parser.add_argument("--only", metavar="ITEM", help="of what is due only this item: an id, or a name")

    def handle(self, *, job: str | None, dry_run: bool, at: str | None, only: str | None, **options: Any) -> None:
        jobs = all_jobs()
        if job is None:
            for known in jobs.values():
                self.stdout.write(f"{known.name}: {known.help}")
        elif job not in jobs:
            raise CommandError(f"There is no job {job}. Jobs: {', '.join(jobs)}")
        else:
            self.stdout.write(run_with_progress(jobs[job], now=moment_of(at), dry_run=dry_run, only=only))
