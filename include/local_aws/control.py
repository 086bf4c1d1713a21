"""The control plane beside AWS's interface: /_local/health and /_local/calls; for tests also a reset."""

import json
from collections.abc import Callable, Container, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

PREFIX = "/_local/"
# moto's own: a reset, its recorder, its random numbers.
MOTO_API = "/moto-api"

type Action = Callable[[], object]


class Control:
    """The WSGI application under /_local/, and under /moto-api/ where that is off.

    Args:
        actions: What answers a method and a path, for example ("GET", "/_local/health"), with a JSON value.
        off: Methods and paths that are refused: this process was started without them.
    """

    def __init__(self, actions: dict[tuple[str, str], Action], off: Container[tuple[str, str]] = ()) -> None:
        self._actions = actions
        self._off = off

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        request = Request(environ)
        if (request.method, request.path) in self._off or request.path.startswith(MOTO_API):
            error = {"error": f"{request.method} {request.path} is off: start local_aws with --faults."}
            return _json(error, 403)(environ, start_response)
        action = self._actions.get((request.method, request.path))
        if action is not None:
            return _json(action(), 200)(environ, start_response)
        known = ", ".join(f"{method} {path}" for method, path in sorted(self._actions))
        error = {"error": f"There is no {request.method} {request.path}; there are {known}."}
        return _json(error, 404)(environ, start_response)


def _json(value: object, status: int) -> Response:
    return Response(json.dumps(value, indent=2, default=str) + "\n", status, content_type="application/json")
