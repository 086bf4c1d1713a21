"""The store sales source system: TPC-DS as a retailer's systems would deliver it, day by day, to S3.

The data come from the TPC-DS generator in DuckDB's tpcds extension. `deliver` turns its warehouse tables
back into extracts with business ids. Everything is a pure function of scale factor, member and day: no
random numbers, no clock. The same extract is the same file, byte for byte, whatever range of days it is
asked for with.

What is delivered, as Parquet, below ``raw/``:

* ``store_sales/sale_date=D/``: the sales of day D.
* ``customer``, ``customer_address``, ``item``, ``store``, each ``/extract_date=D/``: on the first day of
  the range the whole dimension as of D; on later days the members that are new or differ from the day
  before, with all their columns. A day without changes is a file with no rows, and so is a day without
  sales.
* ``date_dim`` (1998-01-01 to 2003-12-31: all that sales and reports can refer to, 2,191 of TPC-DS's 73,049
  days), ``household_demographics`` and ``promotion``: once, whole.

The rules, with day 1 = 1998-01-02:

Keys
    Business ids only, never surrogate keys. Two columns keep TPC-DS's codes, because TPC-DS has no business
    id for them: ``cd_demo_sk`` and ``hd_income_band_sk``. A business id is eight A's and the eight hex
    digits of the key, least significant first, written A to P: 7550 is AAAAAAAAOHNBAAAA. Blanks that TPC-DS
    pads with are trimmed.

Sales
    Lines whose sale date TPC-DS leaves empty (4.5 %) are dropped. Other empty keys stay: sales without a
    customer, address, store, promotion or time are part of the data. Item and ticket number identify a
    line.

Items
    An item is one member, with the attributes of TPC-DS's latest revision of it. With n the item's number
    (the key of its first revision), its price on day D is TPC-DS's price x (1 + 0.03 x (v mod 7)), rounded
    to cents, with v = (D + n) div (20 + n mod 17): every day about 4 % of the items change price.
    Independent of that, the product name gains and loses the suffixes II and III every 60 to 90 days, and
    the category moves to the alphabetically next one and back every 400 to 496 days.

Addresses, customers, stores
    An address takes city, state, zip and country of another one every 300 to 396 days. A customer takes the
    last name of another one every 1,500 to 1,600 days and its current address every 600 to 696 days. A
    store changes its manager every 120 to 150 days. Before the first change all have TPC-DS's values.

New members
    On every day D one item, one customer and one address appear that TPC-DS does not have, with the key
    10,000,000 + D, cloned from TPC-DS's member number D mod n (in the order of the keys). The new customer
    lives at the new address. The first ticket of D, the one with the smallest number whatever its store, is
    bought by the new customer at the new address, and its first line, the one with the smallest item key,
    is the new item. The extracts of D carry the new members when D is odd; when D is even they arrive one
    day late, after the sales that name them.

Stores
    At a small scale TPC-DS has a single store. Five are added: two in Bethel, Ohio, one each in Toronto,
    Monterrey and London. TPC-DS's own (by key) and the added stores share the tickets by ticket number
    modulo their count: all lines of a ticket that have a store have the same one.

TPC-DS facts: TPC Benchmark DS, standard specification, section 2 (schema) and appendix A; the generator is
``dsdgen`` as shipped with DuckDB, https://duckdb.org/docs/current/core_extensions/tpcds.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import cache as once
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from datasets.cache import build, locked, verified
from datasets.delivery import Delivery, Progress, silent

FIRST_DAY = date(1998, 1, 2)
"""The first day of TPC-DS's store sales."""

LAST_DAY = date(2003, 1, 2)
"""The last day of TPC-DS's store sales."""

SCALE_FACTORS = (0.01, 300.0)
"""The smallest and largest scale factor. DuckDB's dsdgen does not end below about 0.009, where a table would
be empty; at 1,000 TPC-DS's own customer keys reach those of the new members."""

DIMENSIONS = ("customer", "customer_address", "item", "store")
"""Extracted every day."""

REFERENCES = {
    "date_dim": "from date_dim order by d_date",
    "household_demographics": "select * exclude hd_demo_sk from household_demographics order by all",
    "promotion": "from promotion order by p_promo_id",
}
"""Extracted once, with the query of each."""

_SQL = Path(__file__).with_name("sql")
_SOURCE_SQL = _SQL / "store_sales_source.sql"
_EXTRACTS_SQL = _SQL / "store_sales_extracts.sql"
_SOURCE = "source.duckdb"
_MEMORY_LIMIT = "1GB"


@dataclass(frozen=True)
class _Batch:
    """Extracts that are made and cached together.

    Attributes:
        folder: Where the cache keeps them.
        partition: What stands between an extract's name and its file in the object key.
        queries: The query of each extract, by name.
        parameters: What the queries are bound to.
    """

    folder: str
    partition: str
    queries: Mapping[str, str]
    parameters: Mapping[str, int]


def deliver(
    start: date, end: date, *, scale_factor: float, cache: Path, progress: Progress = silent
) -> list[Delivery]:
    """Make the extracts of a range of days, or find them in the cache.

    Args:
        start: First day, from `FIRST_DAY` on; its dimension extracts carry the whole dimension.
        end: Last day, up to `LAST_DAY`.
        scale_factor: TPC-DS scale factor, 0.01 to 300; 1 is about 2.9 million sales, 0.1 about 290,000.
        cache: Folder that keeps what was generated. Damaged files in it are made again; those of an older
            version of this module are removed.
        progress: Told about every step.

    Returns:
        The files in the order in which a source system would deliver them: the reference data, then for
        each day the dimensions before the sales that refer to them.

    Raises:
        ValueError: A date or the scale factor is out of range; the message is one sentence for the user.
        RuntimeError: The TPC-DS extension is not installed.
        duckdb.Error: The generator fails, e.g. for a full disk.
    """
    _check(start, end, scale_factor)
    home = cache / f"store-sales-{float(scale_factor)}-{_version()}"
    batches = list(_batches(start, end))
    deliveries = []
    with locked(cache), ExitStack() as resources:
        # Opened only when something is missing: a second start needs no database.
        source = once(lambda: resources.enter_context(_open_source(home, scale_factor, progress)))
        for done, batch in enumerate(batches):
            folder = home / batch.folder
            found = verified(folder)
            if found is None:
                connection = source()
                progress("generating extracts", done, len(batches))
                found = build(folder, _writer(batch, connection))
            for name in batch.queries:
                file = found[f"{name}.parquet"]
                key = f"raw/{name}/{batch.partition}part-00000.parquet"
                deliveries.append(Delivery(key, folder / f"{name}.parquet", file.rows, file.size, file.md5))
        progress("generating extracts", len(batches), len(batches))
    return deliveries


def _check(start: date, end: date, scale_factor: float) -> None:
    for name, day in (("from", start), ("to", end)):
        if not FIRST_DAY <= day <= LAST_DAY:
            raise ValueError(
                f"{name} {day} has no store sales in TPC-DS: choose a day from {FIRST_DAY} to {LAST_DAY}."
            )
    if start > end:
        raise ValueError(f"from {start} is after to {end}: choose a first day that is not after the last.")
    smallest, largest = SCALE_FACTORS
    if not smallest <= scale_factor <= largest:
        raise ValueError(
            f"scale factor {scale_factor:g} cannot be generated: choose one from {smallest:g} to {largest:g}."
        )


def _batches(start: date, end: date) -> Iterator[_Batch]:
    yield _Batch("reference", "", REFERENCES, {})
    for number in range(start.toordinal(), end.toordinal() + 1):
        day = date.fromordinal(number)
        parameters = {"day": (day - FIRST_DAY).days + 1}
        if day == start:
            folder, query = "whole", "from {0}_on($day) order by 1"
        else:
            folder, query = "delta", "from {0}_on($day) except from {0}_on($day - 1) order by 1"
        yield _Batch(
            f"{folder}/{day}",
            f"extract_date={day}/",
            {name: query.format(name) for name in DIMENSIONS},
            parameters,
        )
        yield _Batch(
            f"sales/{day}",
            f"sale_date={day}/",
            {"store_sales": "from store_sales_on($day) order by ss_ticket_number, i_item_id"},
            parameters,
        )


def _writer(batch: _Batch, connection: duckdb.DuckDBPyConnection) -> Callable[[Path], dict[str, int]]:
    def write(folder: Path) -> dict[str, int]:
        return {
            f"{name}.parquet": _write_parquet(query, batch.parameters, folder / f"{name}.parquet", connection)
            for name, query in batch.queries.items()
        }

    return write


def _write_parquet(
    query: str, parameters: Mapping[str, int], path: Path, connection: duckdb.DuckDBPyConnection
) -> int:
    """Write a query's result, in its order, and return the number of rows."""
    statement = f"copy ({query}) to $path (format parquet)"
    written = connection.execute(statement, {**parameters, "path": str(path)}).fetchone()
    assert written is not None  # noqa: S101  # COPY always returns its row count
    return int(written[0])


def _open_source(home: Path, scale_factor: float, progress: Progress) -> duckdb.DuckDBPyConnection:
    """The source system's database, generated unless the cache holds it, with a macro for each extract."""
    folder = home / "source"
    if verified(folder) is None:
        for outdated in set(home.parent.glob(f"store-sales-{float(scale_factor)}-*")) - {home}:
            shutil.rmtree(outdated)
        progress(f"generating TPC-DS at scale factor {scale_factor:g}", 0, 1)
        build(folder, lambda partial: {_SOURCE: _generate_source(partial, scale_factor)})
        progress(f"generating TPC-DS at scale factor {scale_factor:g}", 1, 1)
    connection = duckdb.connect(folder / _SOURCE, read_only=True)
    # One thread writes the rows of a file in one order and in the same row groups every time.
    connection.execute("set threads = 1")
    connection.execute(_EXTRACTS_SQL.read_text())
    return connection


def _generate_source(folder: Path, scale_factor: float) -> int:
    """Run dsdgen and turn its tables into the source system's; return the number of sales."""
    path = folder / _SOURCE
    with TemporaryDirectory(dir=folder) as spill, duckdb.connect() as tpcds:
        # In memory dsdgen is more than twice as fast as into a file; what does not fit is spilled.
        tpcds.execute("set memory_limit = $limit", {"limit": _MEMORY_LIMIT})
        tpcds.execute("set temp_directory = $spill", {"spill": spill})
        tpcds.load_extension(str(_tpcds_extension()))
        tpcds.execute(f"call dsdgen(sf = {scale_factor})")
        quoted = str(path).replace("'", "''")  # ATTACH takes no parameters
        tpcds.execute(f"attach '{quoted}' as source")
        tpcds.execute(_SOURCE_SQL.read_text())
        sales = tpcds.execute("select count(*) from source.store_sales").fetchone()
        assert sales is not None  # noqa: S101  # an aggregate always returns a row
        tpcds.execute("detach source")
    return int(sales[0])


def _tpcds_extension() -> Path:
    """The extension as its PyPI package carries it: DuckDB's own INSTALL would need the network."""
    name = f"v{duckdb.__version__}/tpcds.duckdb_extension"
    try:
        path = Path(str(files("duckdb_extension_tpcds"))) / "extensions" / name
    except ModuleNotFoundError:
        path = Path(name)
    if not path.is_file():
        raise RuntimeError(
            f"package duckdb-extension-tpcds has no extension for DuckDB {duckdb.__version__}: "
            "run `make setup`."
        )
    return path


@once
def _version() -> str:
    """What the cache's content depends on, beside the scale factor."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    for path in (Path(__file__), _SOURCE_SQL, _EXTRACTS_SQL):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
