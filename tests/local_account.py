"""A running local_aws as the AWS account of this process."""

import pytest


def use_account(environment: pytest.MonkeyPatch, endpoint_url: str) -> None:
    """Let boto3, and with it Airflow's hooks, find AWS at this address."""
    environment.setenv("AWS_ENDPOINT_URL", endpoint_url)
    environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
    environment.setenv("AWS_ACCESS_KEY_ID", "local")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "local")
