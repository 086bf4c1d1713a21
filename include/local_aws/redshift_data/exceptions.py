"""The errors of the Redshift Data API, as its service model names them."""


class RedshiftDataError(Exception):
    """An error that the client receives as `__type` and `Message`.

    Args:
        message: One sentence.
        members: Further members of the error's shape.
    """

    status = 400

    def __init__(self, message: str, **members: str) -> None:
        super().__init__(message)
        self.members = members

    @property
    def code(self) -> str:
        """The error's name on the wire."""
        return type(self).__name__


class ValidationException(RedshiftDataError):  # noqa: N818  # AWS's name, as are those below
    """The request cannot be run as it stands."""


class ResourceNotFoundException(RedshiftDataError):  # noqa: N818
    """A statement, session or result does not exist, or no longer."""

    def __init__(self, message: str, resource_id: str) -> None:
        super().__init__(message, ResourceId=resource_id)


class ActiveStatementsExceededException(RedshiftDataError):  # noqa: N818
    """Too many statements have not ended yet."""


class ActiveSessionsExceededException(RedshiftDataError):  # noqa: N818
    """Too many sessions are open."""


class SerializationException(RedshiftDataError):  # noqa: N818
    """The request is not JSON, or a member has the wrong type."""


class UnknownOperationException(RedshiftDataError):  # noqa: N818
    """The Data API has no such operation."""


class InternalServerException(RedshiftDataError):  # noqa: N818
    """The local service itself failed; the log has the traceback."""

    status = 500
