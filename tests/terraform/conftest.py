"""Terraform in a copy of the configuration, shared by the tests that only read."""

import pytest
from terraform_cli import Terraform, copy_of_configuration


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return copy_of_configuration(tmp_path_factory.mktemp("terraform"))
