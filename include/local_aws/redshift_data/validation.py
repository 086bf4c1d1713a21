"""Checks a request against botocore's service model and against the Data API's rules for parameters."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from local_aws import sqltext
from local_aws.redshift import RedshiftError
from local_aws.redshift_data.exceptions import SerializationException, ValidationException

# AWS documents 100 KB for the text of a statement.
MAX_SQL_BYTES = 100 * 1024

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "list": list,
    "structure": dict,
}


@cache
def service_model() -> ServiceModel:
    """AWS's own description of the Data API, as botocore ships it."""
    return ServiceModel(Loader().load_service_model("redshift-data", "service-2"), "redshift-data")


def check_request(operation: str, request: object) -> None:
    """Refuses a request that AWS's model of the operation does not allow.

    Args:
        operation: For example `ExecuteStatement`.
        request: The decoded JSON body.

    Raises:
        SerializationException: A member has the wrong type.
        ValidationException: A member is missing, too short, too long, out of range or unlike its pattern.
    """
    shape = service_model().operation_model(operation).input_shape
    errors = list(_violations(shape, request, "")) if shape is not None else []
    if errors:
        noun = "error" if len(errors) == 1 else "errors"
        raise ValidationException(f"{len(errors)} validation {noun} detected: {'; '.join(errors)}")


def _violations(shape: Shape, value: object, path: str) -> Iterator[str]:
    expected = _TYPES[shape.type_name]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is int):
        raise SerializationException(f"{path or 'The request'} must be a {shape.type_name}.")
    yield from _constraints(shape, value, path)
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name in shape.required_members:
            if value.get(name) is None:
                place = _member(path, name)
                yield f"Value null at '{place}' failed to satisfy constraint: Member must not be null"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _violations(member, value[name], _member(path, name))
    if isinstance(shape, ListShape) and isinstance(value, list):
        for index, element in enumerate(value, 1):
            yield from _violations(shape.member, element, f"{path}.{index}.member")


def _member(path: str, name: str) -> str:
    return ".".join(filter(None, [path, name[0].lower() + name[1:]]))


def _constraints(shape: Shape, value: Any, path: str) -> Iterator[str]:
    limits = shape.metadata
    size = value if isinstance(value, int) else len(value)
    measure = "value" if isinstance(value, int) else "length"
    failed = f"Value '{_short(value)}' at '{path}' failed to satisfy constraint: Member must"
    if "min" in limits and size < limits["min"]:
        yield f"{failed} have {measure} greater than or equal to {limits['min']}"
    if "max" in limits and size > limits["max"]:
        yield f"{failed} have {measure} less than or equal to {limits['max']}"
    if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
        yield f"{failed} satisfy regular expression pattern: {limits['pattern']}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"{failed} satisfy enum value set: [{', '.join(limits['enum'])}]"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def bound_parameters(sqls: Sequence[str], parameters: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Gives each statement the parameters that it names.

    Args:
        sqls: The statements of one request.
        parameters: The request's `Parameters`.

    Returns:
        A dictionary for each statement.

    Raises:
        ValidationException: A name twice, a parameter that no statement names, a name without a parameter, a
            statement that is empty, too long, or more than one statement.
    """
    values = {parameter["name"]: parameter["value"] for parameter in parameters}
    if len(values) < len(parameters):
        twice = sorted(
            {p["name"] for p in parameters if [q["name"] for q in parameters].count(p["name"]) > 1}
        )
        raise ValidationException(f"Parameters has the name {twice[0]} more than once.")
    named = [_names(number, sql, set(values)) for number, sql in enumerate(sqls, 1)]
    for names in named:
        if missing := sorted(names - values.keys()):
            raise ValidationException(f"Parameters has no value for :{missing[0]}, which the SQL text names.")
    if unused := sorted(values.keys() - set().union(*named)):
        raise ValidationException(f"Parameters has {unused[0]}, but no SQL text names :{unused[0]}.")
    return [{name: values[name] for name in names} for names in named]


def _names(number: int, sql: str, known: set[str]) -> set[str]:
    """The parameters that a statement names; all, for one that the engine will refuse as a syntax error."""
    if len(sql.encode()) > MAX_SQL_BYTES:
        raise ValidationException(f"SQL statement {number} is longer than {MAX_SQL_BYTES} bytes.")
    try:
        count, names = len(sqltext.split(sql)), sqltext.parameter_names(sql)
    except RedshiftError:
        return known
    if count == 0:
        raise ValidationException(f"SQL statement {number} is empty.")
    if count > 1:
        raise ValidationException(
            f"SQL statement {number} holds {count} statements; send them as Sqls of BatchExecuteStatement."
        )
    return names
