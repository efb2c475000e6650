"""`python -m tutor prune`: remove saved lessons that nobody has opened for long."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from tutor.cli.export import bounded
from tutor.number import counted

HOME: Final = Path(__file__).parents[2]
MOST_DAYS: Final = 36_500
ABOUT: Final = """\
A lesson is kept if somebody opened it in the last DAYS days, \
or if a lesson that is kept was made from it.
The ids of removed lessons go to stdout. \
DATABASE_URL names the store, as for the server.
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `prune`."""
    command.epilog = ABOUT
    command.add_argument(
        "--older-than",
        type=bounded(1, MOST_DAYS),
        required=True,
        metavar="DAYS",
        help="days without a visit",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="print what would be removed, but remove nothing"
    )


def prune(wanted: argparse.Namespace) -> int:
    """Remove, and print the id of each lesson that is gone; how many on stderr. Raises
    SettingError, StoreError.
    """
    # with SQLAlchemy, which takes longer to load than the other commands to run
    from tutor.store import saving

    gone: list[str] = []
    store = saving.from_environment(os.environ, HOME).store
    if store is not None:
        try:
            gone = store.prune(wanted.older_than, wanted.dry_run)
        finally:
            store.close()
    sys.stdout.writelines(f"{lesson}\n" for lesson in gone)
    lessons = counted(len(gone), "saved lesson")
    sys.stderr.write(f"{lessons} {'would be ' if wanted.dry_run else ''}removed\n")
    return 0
