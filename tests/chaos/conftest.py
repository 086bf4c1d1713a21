"""One start of local_aws and Airflow for all that is broken here."""

from collections.abc import Iterator

import pytest
from work import Works, set_up, with_sql

from chaos_stack import Chaos, chaos


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    folder = tmp_path_factory.mktemp("chaos")
    with chaos(folder, with_sql(folder)) as running:
        set_up(running)
        yield running


@pytest.fixture
def works(stack: Chaos, request: pytest.FixtureRequest) -> Iterator[Works]:
    """The runs of a test; afterwards nothing goes wrong any more, and nothing is left running."""
    works = Works(stack, request.node.name)
    yield works
    stack.mend()
    assert [live for work in works.made for live in work.live()] == []
