"""What every test may use: the folders, and how property tests run."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import postgresql, store_url  # noqa: F401  (fixtures)
from tests.turns import _in_turn, timed, turns  # noqa: F401  (fixtures)
from tutor.catalogue.course import is_course

# The same examples on each run, so that a red run can be repeated; `HYPOTHESIS_PROFILE=search`
# looks for new ones. No deadlines: tests assert on what comes out, times belong to the benchmarks.
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "search", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# What tests save goes to a store of their own, never to one in use, and as often as they like;
# servers that tests start inherit it.
_store = tempfile.mkdtemp(prefix="tutor-store-")
atexit.register(shutil.rmtree, _store, ignore_errors=True)
os.environ |= {
    "DATABASE_URL": f"sqlite:///{_store}/lessons.sqlite",
    "SAVES_PER_MINUTE": "100000",
    "SAVING": "on",
}


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def scenario_files(root: Path) -> list[Path]:
    """Every scenario file that comes with the tutor."""
    return sorted(path for path in (root / "scenarios").glob("*.yaml") if not is_course(path.name))
