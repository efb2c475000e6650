"""The container file and the compose file of docs/deploy. Where no container runtime is at hand, the
steps of the container file are carried out in a folder, and its command is run by somebody who may
write in `instance` alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.databases import as_somebody
from tests.serving import Tutor

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "deploy"
STEPS = [
    (line.partition(" ")[0], line.partition(" ")[2])
    for line in (FOLDER / "Containerfile").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def step(name: str) -> str:
    """The argument of the last step of this name."""
    return [argument for step, argument in STEPS if step == name][-1]


def environment() -> dict[str, str]:
    return dict(part.split("=", 1) for part in step("ENV").split())


PYTHON = sys.executable if os.geteuid() else "/usr/bin/python3"
"""One that somebody else may run, where it is root who tests."""


@pytest.fixture(scope="module")
def built() -> Iterator[Path]:
    """A folder in which the steps of the container file were carried out; only `instance` may be
    written in.
    """
    place = Path(tempfile.mkdtemp(prefix="tutor-container-"))  # pytest's are closed to all others
    place.chmod(0o755)
    try:
        for name, argument in STEPS:
            if name == "COPY" and not argument.startswith("--from"):
                *sources, _ = argument.split()
                for source in sources:
                    (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(
                        ROOT / source, place / source
                    )
            elif name == "RUN":
                command = argument.replace("python3 ", f"{PYTHON} ", 1)
                subprocess.run(["bash", "-ec", command], cwd=place, check=True)
        subprocess.run(["chmod", "--recursive", "a+rX,a-w", place], check=True)
        (place / "instance").chmod(0o1777)
        yield place
    finally:
        subprocess.run(["chmod", "--recursive", "u+w", place], check=True)
        shutil.rmtree(place)


def files(folder: Path) -> dict[str, int]:
    """When each file was last written."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] != "instance"
    }


def test_the_steps_make_a_tutor_that_writes_in_its_instance_alone(built: Path) -> None:
    before = files(built)
    command = json.loads(step("CMD"))
    settings = environment() | {"HOST": "127.0.0.1", "DATABASE_URL": "", "PYTHONPATH": ""}
    somebody = as_somebody()
    with Tutor(command=command, cwd=built, somebody=somebody, **settings) as tutor:
        text = (ROOT / "scenarios" / "3-2-3-softmax.yaml").read_text(encoding="utf-8")
        status, headers, _ = tutor.post("/open", {"do": "save", "text": text})
        assert status == 303
        assert tutor.get(f"{headers['Location']}/steps/1")[0] == 200
        assert tutor.get("/readyz")[2] == "ready\n"
        health = json.loads(re.search(r"CMD (\[.*\])", step("HEALTHCHECK"))[1])  # type: ignore[index]
        asked = [part.replace(":8000/", f":{tutor.port}/") for part in health]
        subprocess.run(asked, cwd=built, check=True)
    assert subprocess.run(asked, cwd=built, check=False, capture_output=True).returncode == 1
    assert (built / "instance" / "lessons.sqlite").exists()
    assert files(built) == before


def test_what_is_installed_is_what_the_lock_says(built: Path) -> None:
    listed = subprocess.run(
        [built / ".venv/bin/python", "-m", "pip", "freeze", "--exclude-editable"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert len(listed) > 10
    assert set(listed) <= set(lock)
    assert not [line for line in listed if line.startswith(("pytest", "playwright", "mypy"))]


def test_nobody_is_root() -> None:
    user, group = map(int, step("USER").split(":"))
    assert user > 0
    assert group > 0


# ---- the compose file ----


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))["services"]
    return found


def test_there_are_two_tutors_one_database_and_one_proxy(services: dict[str, Any]) -> None:
    assert list(services) == ["tutor-1", "tutor-2", "database", "proxy"]
    assert services["tutor-1"] == services["tutor-2"]
    upstream = re.findall(r"server (\S+):8000", (FOLDER / "nginx.conf").read_text(encoding="utf-8"))
    assert upstream == ["tutor-1", "tutor-2"]
    assert environment()["PORT"] == "8000"


def test_the_tutors_are_read_only_and_without_rights(services: dict[str, Any]) -> None:
    tutor = services["tutor-1"]
    assert tutor["read_only"] is True
    assert tutor["cap_drop"] == ["ALL"]
    assert "ports" not in tutor, "nobody comes past the proxy, who is believed"
    assert tutor["environment"]["BEHIND_PROXY"] == "1"
    assert "@database/tutor" in tutor["environment"]["DATABASE_URL"]
    assert services["database"]["environment"]["POSTGRES_USER"] == "tutor"
    build = tutor["build"]
    assert (FOLDER / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def test_the_files_that_the_compose_file_mounts_are_there(services: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", [])
    ]
    for name in mounted:
        assert name in {"lessons", "pages"} or (FOLDER / name).is_file()


def test_docker_reads_it() -> None:
    if (
        shutil.which("docker") is None
        or subprocess.run(
            ["docker", "compose", "version"], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("docker compose is not here")
    command = ["docker", "compose", "--file", str(FOLDER / "compose.yaml"), "config", "--quiet"]
    given = os.environ | {"POSTGRES_PASSWORD": "abc"}
    read = subprocess.run(command, env=given, check=False, capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
