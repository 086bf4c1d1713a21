"""One start of local_aws and Airflow for all that is broken here."""

from collections.abc import Iterator

import pytest
from work import Work, both_operators, set_up, with_sql

from chaos_stack import Chaos, chaos


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    folder = tmp_path_factory.mktemp("chaos")
    with chaos(folder, with_sql(folder)) as running:
        set_up(running)
        yield running


@pytest.fixture
def works(stack: Chaos, request: pytest.FixtureRequest) -> Iterator[both_operators]:
    """A run for each of the two operators; afterwards nothing goes wrong any more, and nothing is left."""
    both = both_operators(Work(stack, operator, request.node.name) for operator in ("redshift", "glue"))
    yield both
    stack.mend()
    for work in both:
        assert work.live() == [], "left running"
