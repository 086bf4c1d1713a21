"""`make deploy` and `make destroy`: checks, the plan, a question, Terraform, the DAGs, and a first run."""

from pathlib import Path

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from mwaa.checks import (
    require_credentials,
    require_free_bucket_names,
    require_kept,
    require_unprotected,
)
from mwaa.environment import Environment, UnhealthyError, upload_dags
from mwaa.package import PROJECT, digest, package
from mwaa.terraform import Plan, Terraform, TerraformError

_MOST_SHOWN = 12


class NotWantedError(Exception):
    """The person said no."""


class HalfwayError(Exception):
    """A step failed or was stopped after something was changed; the text says how to go on."""


def deploy(name: str, console: Console, *, ask: bool) -> None:
    """Bring AWS and Airflow to what this working copy holds.

    Args:
        name: The environment, a file of `include/terraform/environments`.
        console: Where progress is shown and the question is asked.
        ask: Whether to ask before anything is changed.

    Raises:
        TerraformError: Before anything was changed, Terraform refuses the input.
        CheckError: Before anything was changed, something is in the way.
        NotWantedError: The answer was no.
        HalfwayError: A later step failed, or was stopped.
    """
    terraform = Terraform(PROJECT / "include" / "terraform", name)
    console.print(f"Credentials of {require_credentials()}.")
    built = PROJECT / "dist"
    package(built)
    console.print(f"Package {digest(built)} is built.")
    with console.status("Planning"):
        terraform.select_workspace()
        plan = terraform.plan()
    require_kept(plan, name)
    require_free_bucket_names(plan)
    _show(plan, console)
    if plan.changes:
        _require_consent(f"Apply this to {name}?", console, ask=ask)
    again = (
        f"run make deploy ENV={name} again: what is there is kept. "
        f"To go back, check out the commit that was deployed before and run make deploy ENV={name} there."
    )
    try:
        if plan.changes:
            terraform.apply(plan)
        _start(terraform, built, console)
    except KeyboardInterrupt:
        raise HalfwayError(f"Stopped half-way. To go on, {again}") from None
    except (TerraformError, UnhealthyError, ClientError, BotoCoreError, Boto3Error) as error:
        raise HalfwayError(f"{error} To go on, mend the cause and {again}") from error


def _start(terraform: Terraform, built: Path, console: Console) -> None:
    """Upload the DAGs, and see the environment read and run them."""
    outputs = terraform.outputs()
    if outputs["mwaa_environment_name"] is None:
        console.print(
            "enable_mwaa is false: give your Airflow the output airflow_configuration_options, and dist/mwaa."
        )
        return
    files = upload_dags(built / "mwaa" / "dags", outputs["dags_s3_uri"], outputs["region"])
    console.print(f"{files} files are in {outputs['dags_s3_uri']}.")
    environment = Environment(outputs["mwaa_environment_name"], outputs["region"], console)
    environment.wait_until_available()
    dag_ids = {path.stem for path in (built / "mwaa" / "dags").glob("*.py")}
    environment.wait_until_parsed(dag_ids, digest(built))
    environment.run_check()
    console.print(f"Airflow: {outputs['mwaa_webserver_url']}")
    console.print(f"Extracts go below s3://{outputs['bucket_names']['data']}/raw/.")


def destroy(name: str, console: Console, *, ask: bool) -> None:
    """Take everything of an environment away.

    Args:
        name: The environment.
        console: Where progress is shown and the question is asked.
        ask: Whether to ask before anything is changed.

    Raises:
        TerraformError: Before anything was changed, Terraform refuses.
        CheckError: AWS does not accept the credentials, or the environment is protected.
        NotWantedError: The answer was no.
        HalfwayError: Terraform failed, or was stopped.
    """
    terraform = Terraform(PROJECT / "include" / "terraform", name)
    console.print(f"Credentials of {require_credentials()}.")
    package(PROJECT / "dist")  # the configuration reads it, also on the way out
    with console.status("Planning"):
        terraform.select_workspace()
        plan = terraform.plan(destroy=True)
    require_unprotected(plan, name)
    _show(plan, console)
    if plan.changes:
        _require_consent(f"Destroy {name}, with what is stored in it?", console, ask=ask)
        again = f"Run make destroy ENV={name} again: what is gone is skipped."
        try:
            terraform.apply(plan)
        except KeyboardInterrupt:
            raise HalfwayError(f"Stopped half-way. {again}") from None
        except TerraformError as error:
            raise HalfwayError(f"{error} {again}") from error


def _show(plan: Plan, console: Console) -> None:
    shown = f"terraform -chdir={plan.file.parent} show {plan.file.name}"
    console.print(f"The plan: {plan.summary} (all of it: {shown}).", markup=False)
    notable = [change for change in plan.changes if change.action in {"replace", "delete"}]
    notable.sort(key=lambda change: not change.loses_data)
    for change in notable[:_MOST_SHOWN]:
        console.print(f"  {change.action} {change.address}", markup=False)
    if len(notable) > _MOST_SHOWN:
        console.print(f"  and {len(notable) - _MOST_SHOWN} more")


def _require_consent(question: str, console: Console, *, ask: bool) -> None:
    if not ask:
        return
    try:
        answer = console.input(f"{question} [y/N] ", markup=False)
    except EOFError:
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise NotWantedError
