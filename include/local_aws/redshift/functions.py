"""DuckDB macros that give Redshift's functions their meaning; `dialect` points SQL at them."""

from __future__ import annotations

# The schema of everything of ours in the database; last in every search path, absent from the catalog views.
INTERNAL = "pg_internal"

MACROS: tuple[str, ...] = (
    # TRUNC cuts a timestamp to its day and a number to its integer part: the argument's type decides.
    """trunc_to_unit(value timestamp) as value::date, (value date) as value,
       (value double) as trunc(value), (value decimal(38, 10)) as trunc(value), (value bigint) as value""",
    # CAST to a character type cuts at so many bytes, at a whole character.
    """truncate_bytes(value, bytes) as case
         when strlen(value) <= bytes then value
         when strlen(value) = length(value) then left(value, bytes)
         else left(value, list_max(list_filter(range(bytes + 1), lambda n: strlen(left(value, n)) <=
         bytes))::bigint)
       end""",
    "is_valid_json(value) as coalesce(json_valid(value) and json_type(value) in ('OBJECT', 'ARRAY'), false)",
    "is_valid_json_array(value) as coalesce(json_valid(value) and json_type(value) = 'ARRAY', false)",
    "json_extract_array_element_text(value, place) as json_extract_string(value, '$[' || place || ']')",
    "json_serialize(value) as value::varchar",
    "isnull(value, other) as coalesce(value, other)",
    "zeroifnull(value) as coalesce(value, 0)",
    "textlen(value) as length(value)",
    "btrim(value) as trim(value), (value, characters) as trim(value, characters)",
    "func_sha1(value) as sha1(value)",
    "dexp(value) as exp(value)",
    "dlog10(value) as log10(value)",
    "bpcharcmp(a, b) as case when rtrim(a) < rtrim(b) then -1 when rtrim(a) = rtrim(b) then 0 else 1 end",
    "pg_get_userbyid(userid) as 'awsuser'",
    "has_schema_privilege(name, privilege) as true",
    "has_table_privilege(name, privilege) as true",
    "pg_encoding_to_char(encoding) as 'UTF8'",
    "pg_get_expr(expression, relation) as expression",
    "obj_description(object, catalog) as null::varchar, (object) as null::varchar",
    "col_description(object, number) as null::varchar",
)


def setup(database: str) -> list[str]:
    """Statements that prepare a database, new or reopened: schema public, our schema, its tables and macros.

    Args:
        database: name of the attached DuckDB database.
    """
    prefix = f'"{database}".{INTERNAL}'
    return [
        f'create schema if not exists "{database}".public',
        f"create schema if not exists {prefix}",
        (
            f"create table if not exists {prefix}.external_schemas"
            " (name varchar, glue_database varchar, iam_role varchar, owner varchar)"
        ),
        (
            f"create table if not exists {prefix}.views"
            " (schema_name varchar, name varchar, query varchar, materialized boolean)"
        ),
        f"create table if not exists {prefix}.committed (statement varchar)",
        *(f"create or replace macro {prefix}.{macro}" for macro in MACROS),
    ]
