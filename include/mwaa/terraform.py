"""Terraform as the deployment uses it: a plan that can be looked at and applied as it was seen."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OLDEST = (1, 11)
_STORES = {"aws_redshift_cluster", "aws_redshiftserverless_namespace", "aws_s3_bucket"}


class TerraformError(Exception):
    """Terraform is missing, refuses the input, or fails; one sentence."""


@dataclass(frozen=True)
class Change:
    """What a plan does to one resource: create, update, replace or delete, and whether data go with it."""

    action: str
    address: str
    loses_data: bool = False


@dataclass(frozen=True)
class Plan:
    """A plan in a file.

    Attributes:
        file: What `apply` takes.
        changes: Every resource that is not left as it is.
        new_buckets: Names of S3 buckets that it creates, also in place of one of another name.
        region: The AWS region.
        protected: Whether deletion_protection is true, or was when a bucket that goes was last applied.
    """

    file: Path
    changes: list[Change]
    new_buckets: list[str]
    region: str
    protected: bool

    @property
    def summary(self) -> str:
        """How many of each, for a person."""
        counts = Counter(change.action for change in self.changes)
        return ", ".join(
            f"{counts[action]} to {action}" for action in ("create", "update", "replace", "delete")
        )


class Terraform:
    """Terraform with one environment's variables, in a workspace of the environment's name.

    Args:
        folder: The configuration.
        environment: Name of a file in its folder `environments`, for example dev.

    Raises:
        TerraformError: Terraform is missing or too old, or the environment has no file.
    """

    def __init__(self, folder: Path, environment: str) -> None:
        self._folder = folder
        self._environment = environment
        self._variables = folder / "environments" / f"{environment}.tfvars"
        if not self._variables.is_file():
            known = ", ".join(sorted(path.stem for path in self._variables.parent.glob("*.tfvars")))
            raise TerraformError(
                f"There is no environment {environment}: use one of {known}, or write {self._variables}."
            )
        if shutil.which("terraform") is None:
            raise TerraformError("terraform is not on PATH: install Terraform 1.11 or newer.")
        version = str(json.loads(self._run("version", "-json"))["terraform_version"])
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
            raise TerraformError(f"terraform is {version}: install 1.11 or newer.")

    def select_workspace(self) -> None:
        """Initialise, and keep each environment's state apart from the others'."""
        self._run("init", "-input=false", "-lockfile=readonly")
        self._run("workspace", "select", "-or-create", self._environment)

    def plan(self, *, destroy: bool = False) -> Plan:
        """Look at what is to be done; nothing is changed.

        Args:
            destroy: Whether everything is to go.

        Raises:
            TerraformError: The variables are refused, or AWS does not answer.
        """
        file = self._folder / f"{self._environment}.tfplan"
        command = ["plan", "-json", "-input=false", f"-var-file={self._variables}", f"-out={file}"]
        self._run(*command, *(["-destroy"] if destroy else []))
        shown: dict[str, Any] = json.loads(self._run("show", "-json", str(file)))
        changes = [
            (_action(change["change"]["actions"]), change) for change in shown.get("resource_changes", [])
        ]
        buckets = [
            (action, change["change"]) for action, change in changes if change["type"] == "aws_s3_bucket"
        ]
        return Plan(
            file=file,
            changes=[
                Change(action, change["address"], _goes(action) and _holds_data(change))
                for action, change in changes
                if action
            ],
            new_buckets=[
                change["after"]["bucket"]
                for _, change in buckets
                if change["after"] and change["after"]["bucket"] != (change["before"] or {}).get("bucket")
            ],
            region=shown["variables"]["region"]["value"],
            protected=shown["variables"]["deletion_protection"]["value"]
            or any(_goes(action) and not change["before"]["force_destroy"] for action, change in buckets),
        )

    def apply(self, plan: Plan) -> None:
        """Do what the plan says; Terraform tells on the terminal how it goes.

        Raises:
            TerraformError: It stopped half-way; its own message is on the terminal.
        """
        plain = [] if sys.stdout.isatty() else ["-no-color"]
        done = self._finish("apply", "-input=false", *plain, str(plan.file))
        if done.returncode:
            raise TerraformError(
                f"terraform apply ended with status {done.returncode}: see its message above."
            )

    def outputs(self) -> dict[str, Any]:
        """The outputs' values by name."""
        outputs = json.loads(self._run("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def _run(self, *arguments: str) -> str:
        done = self._finish(*arguments, output=subprocess.PIPE)
        if done.returncode:
            raise TerraformError(f"terraform {arguments[0]}: {_reason(done.stdout, done.stderr)}")
        return done.stdout

    def _finish(self, *arguments: str, output: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run Terraform to its end, also after Ctrl-C.

        Terraform hears it too, as a process of the same terminal: it ends what is in flight, writes the
        state and gives back the lock, which takes minutes. subprocess.run would kill it after a quarter of a
        second. A second Ctrl-C ends both at once.
        """
        with subprocess.Popen(  # noqa: S603 - our own command, no shell
            ["terraform", *arguments],  # noqa: S607 - from PATH, on purpose
            cwd=self._folder,
            stdout=output,
            stderr=output,
            text=True,
        ) as process:
            try:
                told, errors = process.communicate()
            except KeyboardInterrupt:
                process.communicate()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, told, errors)


def _action(actions: list[str]) -> str | None:
    if actions in (["no-op"], ["read"]):
        return None
    return actions[0] if len(actions) == 1 else "replace"


def _goes(action: str | None) -> bool:
    return action in {"replace", "delete"}


def _holds_data(change: dict[str, Any]) -> bool:
    # What could not be created whole is tainted, and replaced by the next plan; nothing is in it.
    tainted = change.get("action_reason") == "replace_because_tainted"
    return change["type"] in _STORES and not tainted


def _reason(output: str, errors: str) -> str:
    """What Terraform complains of: the diagnostics of -json, each without the lines about itself."""
    told = []
    for line in output.splitlines():
        diagnostic = json.loads(line).get("diagnostic") if line.startswith("{") else None
        if diagnostic and diagnostic["severity"] == "error":
            detail = diagnostic.get("detail") or diagnostic["summary"]
            told.append(" ".join(detail.split("\n\n")[0].split()))
    return " ".join(dict.fromkeys(told)) or " ".join(errors.split())
