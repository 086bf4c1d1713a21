"""The project's docker-compose.yaml on a real Docker Engine: this machine's, or one of the tests' own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from laptop.environment import PROJECT
from ports import free_port

STAND_INS = Path(__file__).parent / "compose" / "stand_in" / "build.sh"
# Some developer's; every file and folder of the containers must be right for whoever builds the image.
AIRFLOW_UID = "1234"
OFFICIAL_IMAGES = ("python:3.12-slim-bookworm", "postgres:16-alpine", "redis:7-alpine")


def require(condition: object, missing: str) -> None:
    """Skip where somebody has no Docker; fail where it should be (REQUIRE_COMPOSE=1)."""
    if condition:
        return
    if os.environ.get("REQUIRE_COMPOSE") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def docker_engine() -> Iterator[dict[str, str]]:
    """Give the environment of an engine that answers; one that had to be started ends with its data."""
    require(shutil.which("docker"), "docker is not here: apt-get install docker.io docker-compose")
    if _succeeds(["docker", "info"], os.environ):
        yield dict(os.environ)
        return
    require(
        os.geteuid() == 0 and shutil.which("dockerd"),
        "no Docker Engine answers, and only root with dockerd could start one: start yours",
    )
    folder = Path(tempfile.mkdtemp(prefix="docker-"))
    environment = os.environ | {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
    command = ["dockerd", "--host", environment["DOCKER_HOST"], "--data-root", str(folder / "data")]
    command += ["--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid")]
    with (folder / "dockerd.log").open("wb") as log:
        engine = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not _succeeds(["docker", "info"], environment):
            still_starting = engine.poll() is None and time.monotonic() < deadline
            assert still_starting, (folder / "dockerd.log").read_text()
            time.sleep(0.5)
        yield environment
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait(timeout=60)
        _unmount_all(folder)
        shutil.rmtree(folder)


def images(environment: Mapping[str, str]) -> dict[str, str]:
    """Name the images for docker-compose.yaml: the official ones, or stand-ins where none can be pulled."""
    if all(_succeeds(["docker", "pull", "--quiet", name], environment) for name in OFFICIAL_IMAGES):
        return {}
    require(shutil.which("debootstrap"), "no image can be pulled and debootstrap is not here: install it")
    built = subprocess.run(
        [STAND_INS, sys.base_prefix], env=dict(environment), capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return {
        "BASE_IMAGE": "stand-in/python:3.12",
        "POSTGRES_IMAGE": "stand-in/postgres",
        "REDIS_IMAGE": "stand-in/redis",
        # Where the registries' names are this machine's own, only its network knows them.
        "BUILD_NETWORK": "host",
    }


def compose_command(environment: Mapping[str, str]) -> list[str]:
    """Name docker compose as this machine has it: the second version, or the first."""
    if _succeeds(["docker", "compose", "version"], environment):
        return ["docker", "compose"]
    require(shutil.which("docker-compose"), "docker compose is not here: apt-get install docker-compose")
    return ["docker-compose"]


class Compose:
    """One project of docker compose, under names and ports of its own."""

    def __init__(self, engine: Mapping[str, str]) -> None:
        self.project = f"redshift-etl-test-{os.getpid()}"
        self.web_port, self.aws_port, self.wire_port = free_port(), free_port(), free_port()
        self.environment = dict(engine) | {
            "IMAGE": self.project,
            "WEB_PORT": str(self.web_port),
            "AWS_PORT": str(self.aws_port),
            "WIRE_PORT": str(self.wire_port),
            "AIRFLOW_UID": AIRFLOW_UID,
        }
        self._command = compose_command(engine)

    def __call__(self, *arguments: str, **environment: str) -> str:
        """Run docker compose and return what it printed."""
        command = [*self._command, "--project-name", self.project, *arguments]
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def docker(self, *arguments: str) -> str:
        """Run docker and return what it printed."""
        command = ["docker", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def container(self, service: str) -> dict[str, Any]:
        """Return what `docker inspect` knows of a service's container."""
        return self.containers()[service]

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return every container of the project by its service."""
        found = self.docker("ps", "--all", "--quiet", "--filter", self._label).split()
        inspected = json.loads(self.docker("inspect", *found)) if found else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in inspected}

    def health(self, service: str) -> str:
        """Return healthy, unhealthy or starting; the container's status where it has no health check."""
        state = self.container(service)["State"]
        return str(state.get("Health", {}).get("Status", state["Status"]))

    def wait_healthy(self, *services: str, seconds: float = 300) -> None:
        """Wait until every service is healthy."""
        deadline = time.monotonic() + seconds
        while found := {name: self.health(name) for name in services if self.health(name) != "healthy"}:
            assert time.monotonic() < deadline, f"{found}\n{self('logs', '--tail=40', *found)}"
            time.sleep(1)

    def kill(self, service: str) -> None:
        """Kill a container's first process, as a machine short of memory would, and see it started again.

        Until then Docker goes on to call it healthy.
        """
        killed = self.container(service)["State"]
        os.kill(killed["Pid"], signal.SIGKILL)
        deadline = time.monotonic() + 60
        while self.container(service)["State"]["StartedAt"] == killed["StartedAt"]:
            assert time.monotonic() < deadline, f"{service} was not started again"
            time.sleep(0.2)

    def left_behind(self) -> list[str]:
        """Return what of the project is still there: containers, volumes and networks."""
        kinds = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
        return [
            found
            for kind in kinds
            for found in self.docker(*kind, "--quiet", "--filter", self._label).split()
        ]

    @property
    def _label(self) -> str:
        return f"label=com.docker.compose.project={self.project}"


def _unmount_all(folder: Path) -> None:
    """Take away what an ended engine has left mounted: the network namespaces of a build, now and then."""
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        mounted = line.split()[1]
        if mounted.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", mounted], check=True)


def _succeeds(command: list[str], environment: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(command, env=dict(environment), capture_output=True, timeout=120, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
