"""Runs Terraform in a copy of the configuration, offline: the provider comes from a mirror."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CONFIGURATION = PROJECT / "include" / "terraform"

# Where installers and images put a mirror; TF_PROVIDER_MIRROR names another place.
_MIRRORS = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/*",
)
_PROVIDER = "registry.terraform.io/hashicorp/aws"
_SETTINGS = """disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = "MIRROR"
  }
}
"""
_LEFT_BEHIND = shutil.ignore_patterns(
    "__pycache__", ".terraform", "*.tfstate*", "*_override.tf", "backend.tf", "*.tfplan"
)


def require(thing: object, reason: str) -> None:
    """Skip, or fail where CI says that Terraform must be there."""
    if thing:
        return
    if os.environ.get("REQUIRE_TERRAFORM") == "1":
        pytest.fail(f"REQUIRE_TERRAFORM=1, but {reason}")
    pytest.skip(reason)


def find_mirror() -> Path | None:
    """The folder of a filesystem mirror that holds the AWS provider."""
    named = os.environ.get("TF_PROVIDER_MIRROR")
    if named:
        return Path(named) if (Path(named) / _PROVIDER).is_dir() else None
    for pattern in _MIRRORS:
        path = Path(pattern).expanduser()
        for mirror in sorted(path.parent.glob(path.name)):
            if (mirror / _PROVIDER).is_dir():
                return mirror
    return None


@dataclass(frozen=True)
class Terraform:
    """Terraform in one folder.

    Attributes:
        folder: The copy of the configuration.
        environment: Its whole environment.
    """

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str, expect: int = 0, seconds: int = 240) -> str:
        """Run a command.

        Args:
            arguments: The command line after `terraform`.
            expect: The exit status it must have.
            seconds: How long it may take.

        Returns:
            What it wrote to standard output.
        """
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        told = "\n".join([done.stdout[-4000:], done.stderr[-4000:]])
        assert done.returncode == expect, f"terraform {arguments[0]} ended with {done.returncode}\n{told}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """Run a command that answers in JSON."""
        return json.loads(self.run(*arguments))


def copy_of_configuration(folder: Path) -> Terraform:
    """Copy the configuration with what it uploads, and initialise it from the committed lock file.

    Args:
        folder: An empty folder.

    Returns:
        Terraform in it, with no AWS to talk to.
    """
    environment = copy_of_project(folder)
    _package(folder / "dist")
    terraform = Terraform(folder / "include" / "terraform", environment)
    terraform.run("init", "-backend=false", "-lockfile=readonly", "-no-color")
    return terraform


def copy_of_project(folder: Path) -> dict[str, str]:
    """Copy what a deployment is made of.

    Args:
        folder: An empty folder.

    Returns:
        The environment in which Terraform finds its provider, and no AWS.
    """
    require(shutil.which("terraform"), "terraform is not on PATH.")
    mirror = find_mirror()
    require(
        mirror,
        f"no folder with the provider {_PROVIDER} was found: name one with TF_PROVIDER_MIRROR "
        "(terraform providers mirror FOLDER makes it).",
    )
    shutil.copytree(CONFIGURATION, folder / "include" / "terraform", ignore=_LEFT_BEHIND)
    for name in ("dags", "plugins", "sql", "include/glue", "include/mwaa"):
        shutil.copytree(PROJECT / name, folder / name, ignore=_LEFT_BEHIND)
    shutil.copy(PROJECT / "requirements.txt", folder)
    settings = folder / "terraform.rc"
    settings.write_text(_SETTINGS.replace("MIRROR", str(mirror)))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    return inherited | {
        "TF_CLI_CONFIG_FILE": str(settings),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "NO_COLOR": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _package(folder: Path) -> None:
    """What `make package` would build, as far as Terraform reads it."""
    subprocess.run(
        [sys.executable, "-m", "glue.wheel", str(folder / "glue")],
        cwd=PROJECT / "include",
        check=True,
        capture_output=True,
    )
    (folder / "mwaa").mkdir()
    (folder / "mwaa" / "plugins.zip").write_bytes(b"PK\5\6" + bytes(18))
    (folder / "mwaa" / "requirements.txt").write_text("# Nothing beside what MWAA has.\n")
