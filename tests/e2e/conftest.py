"""One start of local_aws and Airflow for the end-to-end tests; each of pytest's workers has its own."""

from collections.abc import Iterator

import pytest

from e2e_stack import Stack, running


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("e2e")) as stack:
        yield stack
