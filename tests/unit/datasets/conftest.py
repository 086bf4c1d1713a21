"""The store sales data set, generated once for all tests of a process."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from datasets import store_sales
from datasets.delivery import Delivery


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that tests share and do not damage."""
    return tmp_path_factory.mktemp("datasets")


@pytest.fixture(scope="session")
def deliver(cache: Path) -> Callable[..., dict[str, Delivery]]:
    """Deliver days given in ISO form; the extracts by short names such as item/2003-01-02 and promotion."""

    def run(start: str, end: str, scale_factor: float = 0.1) -> dict[str, Delivery]:
        days = date.fromisoformat(start), date.fromisoformat(end)
        deliveries = store_sales.deliver(*days, scale_factor=scale_factor, cache=cache)
        return {_short(delivery.key): delivery for delivery in deliveries}

    return run


def _short(key: str) -> str:
    """raw/item/extract_date=2003-01-02/part-00000.parquet -> item/2003-01-02"""
    name, *partition = key.split("/")[1:-1]
    return "/".join([name, *(part.split("=")[1] for part in partition)])
