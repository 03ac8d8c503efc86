import sys
from typing import Any

from click.termui import progressbar
from django.core.management.base import BaseCommand, CommandError, CommandParser

from social.counters import COUNTERS, batches, correct


class Command(BaseCommand):
    help = "Count again what posts, comments, people, groups and channels count; name each difference. Exit 1 on any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="correct what is wrong")

    def handle(self, *args: Any, fix: bool, **options: Any) -> None:
        looked_at, found = 0, 0
        for counter in COUNTERS:
            total = counter.of._default_manager.count()
            with progressbar(length=total, label=counter.name, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
                for size, differences in batches(counter):
                    bar.update(size)
                    looked_at += size
                    found += len(differences)
                    for difference in differences:
                        self.stdout.write(str(difference))
                    if fix and differences:
                        correct(counter, differences)
        summary = f"{looked_at} rows with counts, {found} differ"
        if found:
            raise CommandError(f"{summary}{'; corrected' if fix else ''}.")
        self.stdout.write(f"{summary}.")
