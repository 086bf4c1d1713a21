"""The configuration by itself: its format, its validity, and its own tests with a mocked AWS."""

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from terraform_cli import CONFIGURATION, PROJECT, Terraform, require

pytestmark = pytest.mark.terraform

ENVIRONMENTS = sorted(path.stem for path in (CONFIGURATION / "environments").glob("*.tfvars"))
TEST_FILES = sorted(
    path.name
    for path in (CONFIGURATION / "tests").glob("*.tftest.hcl")
    if path.name != "environments.tftest.hcl"
)


def test_files_are_formatted() -> None:
    require(shutil.which("terraform"), "terraform is not on PATH.")
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", "-diff", "-no-color"],
        cwd=CONFIGURATION,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_configuration_is_valid_without_a_warning(terraform: Terraform) -> None:
    report = terraform.json("validate", "-json")
    assert report["valid"]
    assert report["diagnostics"] == []


@pytest.mark.parametrize("name", TEST_FILES)
def test_every_switch_and_invariant_holds(terraform: Terraform, name: str) -> None:
    _run_tests(terraform, name)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_can_be_planned(terraform: Terraform, environment: str) -> None:
    _run_tests(terraform, "environments.tftest.hcl", f"-var-file=environments/{environment}.tfvars")


def _run_tests(terraform: Terraform, name: str, *options: str) -> None:
    output = terraform.run("test", "-json", f"-filter=tests/{name}", *options)
    lines = [json.loads(line) for line in output.splitlines()]
    summary = next(line["test_summary"] for line in lines if line["type"] == "test_summary")
    assert summary["passed"] > 0
    assert summary["failed"] == summary["errored"] == summary["skipped"] == 0


@pytest.mark.parametrize(
    ("later", "earlier", "why"),
    [
        ("module.bucket.aws_s3_bucket.this", "aws_kms_key.this", "a full bucket would lose its key"),
        ("aws_cloudwatch_metric_alarm.this", "aws_mwaa_environment.this", "its creation would be an alarm"),
        (
            "aws_quicksight_data_source.top_reviews",
            "aws_s3_object.top_reviews_manifest",
            "it is read at once",
        ),
    ],
)
def test_a_resource_comes_after_another_and_goes_before_it(
    terraform: Terraform, later: str, earlier: str, why: str
) -> None:
    arrows = set(re.findall(r'"(\S+)" -> "(\S+)"', terraform.run("graph")))
    reached = {later}
    while further := {to for start, to in arrows if start in reached} - reached:
        reached |= further
    assert earlier in reached, why


def test_every_variable_is_described_typed_and_used() -> None:
    text = _text("*.tf")
    variables = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    assert len(variables) > 30
    for name, body in variables:
        assert re.search(r"^  description = \"\S", body, re.MULTILINE), name
        assert re.search(r"^  type +=", body, re.MULTILINE), name
        assert len(re.findall(rf"\bvar\.{name}\b", text)) > body.count(f"var.{name}"), f"{name} is not used"


def test_every_output_is_described() -> None:
    outputs = re.findall(r'^output "(\w+)" \{\n(.*?)^\}', _text("*.tf"), re.MULTILINE | re.DOTALL)
    assert outputs
    for name, body in outputs:
        assert re.search(r"^  description = \"\S", body, re.MULTILINE), name


def test_airflow_settings_are_the_fields_of_settings_py() -> None:
    """A key that settings.py reads and Terraform does not write would be missing on MWAA only."""
    tree = ast.parse((PROJECT / "plugins" / "redshift_etl" / "settings.py").read_text())
    settings = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    fields = [
        node.target.id
        for node in settings.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    block = re.search(r"^  airflow_settings = \{\n(.*?)^  \}", _text("locals.tf"), re.MULTILINE | re.DOTALL)
    assert block
    assert re.findall(r"^    (\w+) +=", block[1], re.MULTILINE) == fields


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_environments_set_only_variables_that_exist(environment: str) -> None:
    known = set(re.findall(r'^variable "(\w+)"', _text("variables*.tf"), re.MULTILINE))
    text = (CONFIGURATION / "environments" / f"{environment}.tfvars").read_text()
    given = set(re.findall(r"^(\w+) +=", text, re.MULTILINE))
    assert given
    assert given <= known


def test_no_secret_and_no_machine_is_written_down() -> None:
    for path in CONFIGURATION.rglob("*"):
        if path.is_file() and ".terraform/" not in str(path):
            text = path.read_text()
            assert not re.search(r"AKIA[0-9A-Z]{16}|/work/|/root/|/home/", text), path


def _text(pattern: str) -> str:
    return "\n".join(path.read_text() for path in sorted(Path(CONFIGURATION).glob(pattern)))
