"""Hypothesis profiles: `quick` on every run, `--hypothesis-profile=thorough` before a release."""

import logging

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick", max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("quick")


@pytest.fixture(autouse=True)
def loggers_enabled() -> None:
    """Undo what the set-up of Airflow's own logging, in whichever test came before, does to our loggers."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.startswith(("local_aws", "redshift_etl")):
            logger.disabled = False
