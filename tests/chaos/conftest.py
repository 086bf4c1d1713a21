"""One start of local_aws and Airflow for all that is broken here."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from work import Works, set_up, with_sql

from chaos_stack import Chaos, chaos

AT_ONCE = 5


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    folder = tmp_path_factory.mktemp("chaos")
    with chaos(folder, with_sql(folder)) as running:
        set_up(running)
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that disturb nobody first."""
    items.sort(key=lambda item: not item.get_closest_marker("together"))


@pytest.fixture(scope="session")
def together(stack: Chaos, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[None]]]:
    """The tests that break nothing but their own runs, a few of them at any time."""
    items = [item for item in request.session.items if item.get_closest_marker("together")]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {item.name: pool.submit(item.function, Works(stack, item.name)) for item in items}


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Wait for the outcome of a test that runs together with others."""
    if not pyfuncitem.get_closest_marker("together"):
        return None
    pyfuncitem._request.getfixturevalue("together")[pyfuncitem.name].result()
    return True


@pytest.fixture
def works(stack: Chaos, request: pytest.FixtureRequest) -> Iterator[Works]:
    """The runs of a test; afterwards nothing goes wrong any more, and nothing is left running."""
    works = Works(stack, request.node.name)
    yield works
    if not request.node.get_closest_marker("together"):
        stack.mend()
    assert [live for work in works.made for live in work.live()] == []
