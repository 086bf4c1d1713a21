"""The errors of Glue's job runs, as its service model names them."""


class GlueError(Exception):
    """An error that the client receives as `__type` and `Message`."""

    status = 400

    @property
    def code(self) -> str:
        """The error's name on the wire."""
        return type(self).__name__


class EntityNotFoundException(GlueError):  # noqa: N818  # AWS's name, as are those below
    """The job or the run does not exist."""


class InvalidInputException(GlueError):  # noqa: N818
    """The request cannot be met as it stands, or asks for what is not supported locally."""


class ConcurrentRunsExceededException(GlueError):  # noqa: N818
    """As many runs of the job as it allows are going on."""


class InternalServiceException(GlueError):  # noqa: N818
    """The local service itself failed; its log has the traceback."""

    status = 500
