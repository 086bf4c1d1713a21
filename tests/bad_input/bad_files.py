"""Files that a source system must not deliver: one table of them, each with the error that it gets."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from extract_files import SCHEMAS, parquet, with_type


def without(table: str, column: str) -> pa.Schema:
    """The table's schema without a column."""
    return SCHEMAS[table].remove(SCHEMAS[table].get_field_index(column))


GOOD = {
    "i_item_id": "I1",
    "i_current_price": Decimal("1.00"),
    "i_category": "Books",
    "i_product_name": "book",
}
ITEM = parquet(SCHEMAS["item"], GOOD)
LATIN_1 = "Bücher".encode("latin-1")


def _reordered() -> bytes:
    schema = SCHEMAS["item"]
    return parquet(pa.schema([schema.field(name) for name in reversed(schema.names)]), GOOD)


def _damaged() -> bytes:
    """A good footer over pages that are not: what a copy that lost a block leaves."""
    long = parquet(SCHEMAS["item"], *({**GOOD, "i_item_id": f"I{number}"} for number in range(5000)))
    return long[:4] + b"\xff" * 40_000 + long[40_004:]


@dataclass(frozen=True)
class BadFile:
    """One kind.

    Attributes:
        kind: What is wrong, in words.
        table: The dimension, or set of reference data, whose extract it is.
        body: The file's content.
        error: Redshift's message, as a regular expression; `{file}` is the file's address.
        name: The file's name.
    """

    kind: str
    table: str
    body: bytes | Callable[[], bytes]
    error: str
    name: str = "part-00000.parquet"


_SCHEMA = r"File '{file}' has an incompatible Parquet schema for column '{file}\."
FOOTER = r"File '{file}' has an invalid Parquet footer or is corrupt"
_NUMBER = (
    r"Unmatched number of columns between table and file\. Table columns: {0}, Data columns: {1}, .*{file}"
)
_LONG = r"The length of the data column {0} is longer than the length defined in the table\. .*{file}"


def _count(declared: int, found: int) -> str:
    return _NUMBER.replace("{0}", str(declared)).replace("{1}", str(found))


def _long(column: str) -> str:
    return _LONG.replace("{0}", column)


def _null(column: str) -> str:
    return rf"Cannot insert a NULL value into column {column}, File name: {{file}}"


def _mistyped(kind: str, table: str, column: str, found: pa.DataType) -> BadFile:
    """A file in which one column has another type than the table's."""
    return BadFile(kind, table, parquet(with_type(table, column, found)), _SCHEMA)


BAD_FILES = (
    BadFile("truncated after its first half", "item", ITEM[: len(ITEM) // 2], FOOTER),
    BadFile("without its last byte", "item", ITEM[:-1], FOOTER),
    BadFile("of three bytes", "item", b"PAR", FOOTER),
    BadFile("CSV under the name of Parquet", "item", b"i_item_id,i_current_price\nI1,1.00\n", FOOTER),
    BadFile("a page of HTML that an error left", "item", b"<html>403 Forbidden</html>" * 9, FOOTER),
    BadFile("compressed as a whole", "item", gzip.compress(ITEM), FOOTER),
    BadFile("with damaged pages", "item", _damaged, r"{file}.* is corrupt|{file}' has an invalid"),
    BadFile("a note beside the data", "item", b"see ticket 4711", FOOTER, "README.txt"),
    _mistyped("a price that is text", "item", "i_current_price", pa.string()),
    _mistyped("a price that is floating", "item", "i_current_price", pa.float64()),
    _mistyped("a price that is an integer", "item", "i_current_price", pa.int64()),
    _mistyped("a price of more digits", "item", "i_current_price", pa.decimal128(9, 2)),
    _mistyped("a price of more places", "item", "i_current_price", pa.decimal128(7, 3)),
    _mistyped("an id that is a number", "item", "i_item_id", pa.int64()),
    _mistyped("an id that is a list", "item", "i_item_id", pa.list_(pa.string())),
    _mistyped("a category that is a struct", "item", "i_category", pa.struct([("a", pa.string())])),
    BadFile("its columns in another order", "item", _reordered, _SCHEMA),
    BadFile("a column missing", "item", parquet(without("item", "i_category"), GOOD), _count(4, 3)),
    BadFile(
        "a column too many",
        "item",
        parquet(SCHEMAS["item"].append(pa.field("extra", pa.string())), GOOD),
        _count(4, 5),
    ),
    BadFile("no column at all", "item", parquet(pa.schema([])), _count(4, 0) + "|" + FOOTER),
    BadFile(
        "an id of 17 characters",
        "item",
        parquet(SCHEMAS["item"], {**GOOD, "i_item_id": "I" * 17}),
        _long("i_item_id"),
    ),
    BadFile(
        "a category of 51 bytes in 26 characters",
        "item",
        parquet(SCHEMAS["item"], {**GOOD, "i_category": "ü" * 25 + "b"}),
        _long("i_category"),
    ),
    BadFile(
        "a name of a million characters",
        "item",
        parquet(SCHEMAS["item"], {**GOOD, "i_product_name": "n" * 1_000_000}),
        _long("i_product_name"),
    ),
    BadFile(
        "an item without an id",
        "item",
        parquet(SCHEMAS["item"], GOOD, {**GOOD, "i_item_id": None}),
        _null("i_item_id"),
    ),
    BadFile(
        "a category in Latin-1",
        "item",
        parquet(with_type("item", "i_category", pa.binary()), {**GOOD, "i_category": LATIN_1}),
        r"String contains invalid or unsupported UTF8.*{file}",
    ),
    BadFile(
        "a customer without an id",
        "customer",
        parquet(SCHEMAS["customer"], {"c_first_name": "Ada"}),
        _null("c_customer_id"),
    ),
    BadFile(
        "a first name of 21 characters",
        "customer",
        parquet(SCHEMAS["customer"], {"c_customer_id": "C", "c_first_name": "a" * 21}),
        _long("c_first_name"),
    ),
    BadFile(
        "a customer's column missing", "customer", parquet(without("customer", "c_last_name")), _count(4, 3)
    ),
    _mistyped("a customer id that is a date", "customer", "c_customer_id", pa.date32()),
    BadFile(
        "an address without an id",
        "customer_address",
        parquet(SCHEMAS["customer_address"], {"ca_state": "OH"}),
        _null("ca_address_id"),
    ),
    BadFile(
        "a state written out",
        "customer_address",
        parquet(SCHEMAS["customer_address"], {"ca_address_id": "A", "ca_state": "Ohio"}),
        _long("ca_state"),
    ),
    _mistyped("a zip code that is a number", "customer_address", "ca_zip", pa.int32()),
    BadFile(
        "a store without an id", "store", parquet(SCHEMAS["store"], {"s_city": "Bethel"}), _null("s_store_id")
    ),
    _mistyped("a number of employees of 64 bits", "store", "s_number_employees", pa.int64()),
    _mistyped("a tax rate that is floating", "store", "s_tax_precentage", pa.float32()),
    _mistyped("a market id that is true or false", "store", "s_market_id", pa.bool_()),
)


@dataclass(frozen=True)
class BadSalesFile:
    """One kind of file that Spectrum cannot read as the day's sales.

    Attributes:
        kind: What is wrong, in words.
        body: The file's content.
        error: Redshift's message, as a regular expression; `{file}` is the file's address.
    """

    kind: str
    body: bytes
    error: str


def _sale(column: str, kind: pa.DataType, value: Any = None) -> bytes:
    return parquet(with_type("store_sales", column, kind), {"ss_ticket_number": 1, column: value})


# The columns of text, and the bytes that staging has room for.
TEXTS_OF_SALES = {
    "i_item_id": 16,
    "c_customer_id": 16,
    "hd_buy_potential": 15,
    "ca_address_id": 16,
    "s_store_id": 16,
    "p_promo_id": 16,
}

BAD_SALES_FILES = (
    BadSalesFile("truncated", parquet(SCHEMAS["store_sales"])[:500], FOOTER),
    BadSalesFile("CSV under the name of Parquet", b"sold_date,sold_time\n2003-01-02,1\n", FOOTER),
    BadSalesFile("a day that is text", _sale("sold_date", pa.string(), "2003-01-02"), _SCHEMA),
    BadSalesFile("a day that is a moment", _sale("sold_date", pa.timestamp("us")), _SCHEMA),
    BadSalesFile("a quantity of 64 bits", _sale("ss_quantity", pa.int64(), 2**40), _SCHEMA),
    BadSalesFile("a quantity with a fraction", _sale("ss_quantity", pa.float64(), 1.5), _SCHEMA),
    BadSalesFile("a price of other places", _sale("ss_sales_price", pa.decimal128(7, 3)), _SCHEMA),
    BadSalesFile("a price of more digits", _sale("ss_sales_price", pa.decimal128(12, 2)), _SCHEMA),
    BadSalesFile("an item id that is a number", _sale("i_item_id", pa.int64(), 7), _SCHEMA),
    BadSalesFile("a ticket number that is text", _sale("ss_ticket_number", pa.string(), "seven"), _SCHEMA),
    *(
        BadSalesFile(
            f"{column} of {length + 1} bytes",
            parquet(SCHEMAS["store_sales"], {"ss_ticket_number": 1, column: "x" * (length + 1)}),
            rf"value too long for type character varying\({length}\)",
        )
        for column, length in TEXTS_OF_SALES.items()
    ),
    BadSalesFile(
        "a store's id of 9 characters in 18 bytes",
        parquet(SCHEMAS["store_sales"], {"ss_ticket_number": 1, "s_store_id": "ü" * 9}),
        r"value too long for type character varying\(16\)",
    ),
    BadSalesFile(
        "an item's id of a thousand bytes",
        parquet(SCHEMAS["store_sales"], {"ss_ticket_number": 1, "i_item_id": "x" * 1000}),
        r"value too long for type character varying\(16\)",
    ),
    BadSalesFile(
        "an id in Latin-1",
        _sale("c_customer_id", pa.binary(), LATIN_1),
        r"invalid or unsupported UTF8.*{file}",
    ),
)

# Files of 0 bytes where an extract should be, beside good ones: kind and key.
EMPTY_FILES = (
    ("a dimension", "raw/item/extract_date=2003-01-02/part-00000.parquet"),
    ("the sales", "raw/store_sales/sale_date=2003-01-02/part-00000.parquet"),
    ("one part of two", "raw/item/extract_date=2003-01-02/part-00001.parquet"),
)

# Any text may be the name of a file: these name their files, and do nothing else.
HOSTILE_NAMES = (
    "part'; drop table tpcds.item; --.parquet",
    "part''quoted''.parquet",
    'part"; delete from "item.parquet',
    "part\nwith a line feed.parquet",
    "part%27%20or%201=1.parquet",
    "part..%2F..%2F..parquet",
    "part\\' or 1=1.parquet",
    "part\u2019\u202eteuqrap.\u00fc\U0001f4a5.parquet",
    "part$1:refresh_date{{ ds }}${x}.parquet",
    "part*?[a].parquet",
)
