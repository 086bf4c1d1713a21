"""A request to one of our services, and the errors it may be answered with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

type Body = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What a service needs to know of an HTTP request.

    Attributes:
        method: GET, PUT and so on.
        path: The path's parts, decoded.
        query: The query's values by name.
        operation: The operation of a service that names it in a header, else empty.
        body: The JSON body, else empty.
        region: The region that the request was signed for.
    """

    method: str
    path: tuple[str, ...]
    query: dict[str, tuple[str, ...]]
    operation: str
    body: Body
    region: str


class AwsError(Exception):
    """An error as AWS sends it; the message is one sentence.

    Args:
        message: The sentence.
        members: What the error holds beside it.
    """

    code = "InternalServerException"
    status = 500

    def __init__(self, message: str, members: Body | None = None) -> None:
        super().__init__(message)
        self.members = members or {}


class NotFoundError(AwsError):
    """Nothing has this name. Terraform's waiters take exactly this for "deleted"."""

    code = "ResourceNotFoundException"
    status = 404


class ExistsError(AwsError):
    """Something has this name already."""

    code = "ConflictException"
    status = 409


class InvalidError(AwsError):
    """The request cannot be meant so."""

    code = "ValidationException"
    status = 400


class UnknownOperationError(AwsError):
    """The service has no such operation here."""

    code = "UnknownOperationException"
    status = 400
