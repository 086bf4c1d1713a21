"""What the deployment asks of Terraform, what it makes of a plan, and what Ctrl-C does to both."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mwaa import __main__ as command
from mwaa import deploy as deploy_module
from mwaa.checks import CheckError, require_kept, require_unprotected
from mwaa.deploy import HalfwayError, deploy, destroy
from mwaa.terraform import Change, Plan, Terraform

INCLUDE = Path(command.__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with one environment."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.tfvars").write_text("")
    return tmp_path


def planned(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *changes: dict[str, Any], protected: bool = False
) -> Plan:
    """What the deployment makes of a plan that Terraform shows."""
    shown = {
        "variables": {"region": {"value": "us-east-1"}, "deletion_protection": {"value": protected}},
        "resource_changes": list(changes),
    }
    (folder / "shown").write_text(json.dumps(shown))
    terraform = folder / "terraform"
    terraform.write_text(
        f'#!/bin/sh\ncase $1 in show) cat "{folder}/shown";;\n'
        'version) echo \'{"terraform_version": "1.11.4"}\';; esac\n'
    )
    terraform.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return Terraform(folder, "dev").plan()


def bucket(
    actions: list[str], before: str | None, after: str | None, *, force_destroy: bool = True
) -> dict[str, Any]:
    described = [name and {"bucket": name, "force_destroy": force_destroy} for name in (before, after)]
    return {
        "address": f'module.bucket["{after or before}"].aws_s3_bucket.this',
        "type": "aws_s3_bucket",
        "change": {"actions": actions, "before": described[0], "after": described[1]},
    }


def resource(kind: str, *actions: str) -> dict[str, Any]:
    return {
        "address": f"{kind}.this",
        "type": kind,
        "change": {"actions": actions, "before": {}, "after": {}},
    }


def test_a_bucket_that_gets_another_name_is_a_new_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terraform deletes the old one first: a name that is taken must be noticed before."""
    plan = planned(
        folder,
        monkeypatch,
        bucket(["create"], None, "created"),
        bucket(["delete", "create"], "old-name", "new-name"),
        bucket(["delete", "create"], "same-name", "same-name"),
        bucket(["update"], "updated", "updated"),
        bucket(["no-op"], "kept", "kept"),
        bucket(["delete"], "deleted", None),
    )
    assert plan.new_buckets == ["created", "new-name"]


PROTECTION = pytest.mark.parametrize(
    ("now", "force_destroy", "refused"),
    [(True, True, True), (False, False, True), (True, False, True), (False, True, False)],
)


@PROTECTION
def test_what_is_protected_now_or_was_when_last_applied_is_not_destroyed(
    now: bool, force_destroy: bool, refused: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket keeps the protection that was applied, whatever the variables say since."""
    gone = bucket(["delete"], "b", None, force_destroy=force_destroy)
    plan = planned(folder, monkeypatch, gone, protected=now)
    assert plan.protected is refused
    with pytest.raises(CheckError) if refused else nullcontext() as told:
        require_unprotected(plan, "prod")
    if told:
        assert re.match(r"prod is protected .*prod\.tfvars, run make deploy ENV=prod, and", str(told.value))


@PROTECTION
def test_what_is_protected_now_or_was_when_last_applied_is_not_replaced_by_a_deployment(
    now: bool, force_destroy: bool, refused: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = bucket(["delete", "create"], "old", "new", force_destroy=force_destroy)
    plan = planned(folder, monkeypatch, renamed, protected=now)
    with pytest.raises(CheckError) if refused else nullcontext() as told:
        require_kept(plan, "prod")
    if told:
        assert 'would take away module.bucket["new"].aws_s3_bucket.this: set name, bucket_suffix' in str(
            told.value
        )


@pytest.mark.parametrize("kind", ["aws_redshift_cluster", "aws_redshiftserverless_namespace"])
@pytest.mark.parametrize("actions", [("delete",), ("delete", "create"), ("create", "delete")])
def test_a_protected_warehouse_is_neither_replaced_nor_deleted_by_a_deployment(
    kind: str, actions: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(folder, monkeypatch, resource(kind, *actions), protected=True)
    with pytest.raises(CheckError, match=rf"this plan would take away {kind}\.this: .*redshift_mode"):
        require_kept(plan, "prod")


def test_a_protected_environment_is_changed_where_no_data_go(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [
        bucket(["create"], None, "one"),
        bucket(["update"], "two", "two", force_destroy=False),
        resource("aws_redshift_cluster", "update"),
        resource("aws_redshift_cluster", "create"),
        resource("aws_route", "delete"),
        resource("aws_redshiftserverless_workgroup", "delete", "create"),
        resource("aws_redshiftserverless_namespace", "delete", "create")
        | {"action_reason": "replace_because_tainted"},  # its creation failed
    ]
    require_kept(planned(folder, monkeypatch, *changes, protected=True), "prod")


def test_what_loses_data_is_told_before_all_else_that_goes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = [resource("aws_route", "delete")] * 20
    plan = planned(folder, monkeypatch, *routes, resource("aws_redshift_cluster", "delete", "create"))
    shown = io.StringIO()
    deploy_module._show(plan, Console(file=shown, width=1000))
    said = shown.getvalue().splitlines()
    assert said[0].endswith(f"(all of it: terraform -chdir={folder} show dev.tfplan).")
    assert said[1] == "  replace aws_redshift_cluster.this"
    assert said[-1] == "  and 9 more"


CALLS = {
    "plan": "terraform.plan()",
    "apply": "terraform.apply(Plan(Path('dev.tfplan'), [], [], 'us-east-1', False))",
}


@pytest.mark.parametrize("what", CALLS)
def test_terraform_ends_in_good_order_after_ctrl_c(what: str, folder: Path) -> None:
    """A terminal tells the whole process group; Terraform then writes its state and gives back its lock."""
    terraform = folder / "terraform"
    terraform.write_text(
        "#!/bin/sh\n"
        "case $1 in\n"
        'version) echo \'{"terraform_version": "1.11.4"}\';;\n'
        "*) trap 'sleep 1; echo state and lock >> written; exit 1' INT; kill -INT 0;;\n"
        "esac\n"
    )
    terraform.chmod(0o755)
    code = (
        "import sys; from pathlib import Path; from mwaa.terraform import Plan, Terraform\n"
        f"terraform = Terraform(Path(sys.argv[1]), 'dev')\n"
        f"try: {CALLS[what]}\n"
        "except KeyboardInterrupt: print('interrupted')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env={"PATH": f"{folder}:/usr/bin:/bin", "PYTHONPATH": str(INCLUDE)},
        start_new_session=True, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "interrupted\n"
    assert (folder / "written").read_text() == "state and lock\n"


class Interrupted:
    """A Terraform that has something to do, and hears Ctrl-C in one of its commands."""

    command = "apply"

    def __init__(self, *_: object) -> None:
        """Every environment is the same."""

    def select_workspace(self) -> None: ...

    def plan(self, *, destroy: bool = False) -> Plan:
        assert destroy in {True, False}
        self._hear("plan")
        return Plan(Path("dev.tfplan"), [Change("create", "one")], [], "us-east-1", protected=False)

    def apply(self, _: Plan) -> None:
        self._hear("apply")

    def _hear(self, command: str) -> None:
        if command == self.command:
            raise KeyboardInterrupt


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Interrupted]:
    monkeypatch.setattr(deploy_module, "Terraform", Interrupted)
    monkeypatch.setattr(deploy_module, "PROJECT", tmp_path)
    monkeypatch.setattr(deploy_module, "require_credentials", lambda: "arn")
    monkeypatch.setattr(deploy_module, "require_free_bucket_names", lambda _: None)
    monkeypatch.setattr(deploy_module, "package", lambda _: [])
    monkeypatch.setattr(deploy_module, "digest", lambda _: "new")
    return Interrupted


@pytest.mark.usefixtures("interrupted")
@pytest.mark.parametrize("run", [deploy, destroy])
def test_what_was_stopped_half_way_says_so_and_how_to_go_on(run: Callable[..., None]) -> None:
    with pytest.raises(
        HalfwayError, match=rf"^Stopped half-way\. .*[Rr]un make {run.__name__} ENV=dev again"
    ):
        run("dev", Console(quiet=True), ask=False)


@pytest.mark.parametrize("name", ["deploy", "destroy"])
def test_what_was_stopped_before_it_began_has_changed_nothing(
    name: str,
    interrupted: type[Interrupted],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(interrupted, "command", "plan")
    assert command.main([name, "dev", "--yes"]) == 130
    assert capsys.readouterr().out.endswith("\nStopped. Nothing was changed.\n")
