"""Files that cannot be loaded: one error that names the file, and every table as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from bad_files import BAD_FILES, HOSTILE_NAMES, ITEM, BadFile

from in_process import BUCKET, InProcess
from local_aws.redshift import RedshiftError
from store_sales_days import DAY

Unchanged = Callable[..., AbstractContextManager[None]]


@contextmanager
def delivered(world: InProcess, table: str, name: str, body: bytes) -> Iterator[str]:
    """A file in the place of the day's extract, or beside it; afterwards the extract is as it was."""
    folder = f"raw/{table}/extract_date={DAY}"
    file: Path = world.store.root / BUCKET / folder / name
    original = file.read_bytes() if file.exists() else None
    file.write_bytes(body)
    try:
        yield f"s3://{BUCKET}/{folder}/{name}"
    finally:
        file.unlink() if original is None else file.write_bytes(original)


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.kind)
def test_a_bad_file_is_refused_by_name(world: InProcess, unchanged: Unchanged, bad: BadFile) -> None:
    body = bad.body() if callable(bad.body) else bad.body
    with (
        delivered(world, bad.table, bad.name, body) as url,
        unchanged(),
        pytest.raises(RedshiftError) as raised,
    ):
        world.run(f"load_{bad.table}")
    assert re.search(bad.error.replace("{file}", re.escape(url)), str(raised.value))
    assert len(str(raised.value).splitlines()) == 1


def test_of_two_files_the_bad_one_is_named_and_neither_is_loaded(
    world: InProcess, unchanged: Unchanged
) -> None:
    with (
        delivered(world, "item", "part-00001.parquet", ITEM[:-1]) as url,
        unchanged(),
        pytest.raises(RedshiftError, match=re.escape(url)),
    ):
        world.run("load_item")


def test_an_extract_that_was_not_delivered_is_named(world: InProcess, unchanged: Unchanged) -> None:
    with unchanged(), pytest.raises(RedshiftError, match="raw/item/extract_date=2003-01-09/' does not exist"):
        world.run("load_item", "2003-01-09")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_key_is_a_name_like_any_other(world: InProcess, unchanged: Unchanged, name: str) -> None:
    with delivered(world, "item", name, b"not Parquet") as url:
        with unchanged(), pytest.raises(RedshiftError) as raised:
            world.run("load_item")
        assert url in str(raised.value)
    with delivered(world, "item", name, ITEM), unchanged("stg_item"):
        world.run("load_item")
        rows = world.query(f"select count(*) from tpcds.stg_item where extract_date = '{DAY}'")
    assert rows == [(3,)]  # the two of the extract, and this file's
    world.run("load_item")
