"""An HTTP/1.1 server for moto's application that keeps connections open: a poll then takes milliseconds."""

import contextlib
import logging
import socket
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

log = logging.getLogger(__name__)

type Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class HangUpError(Exception):
    """Raised by an application instead of an answer: the connection is closed without one."""


class _BadLengthError(Exception):
    """A request does not say how long its body is; one sentence."""


def _body(environ: dict[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    if environ.get("wsgi.input_terminated"):
        try:
            return bytes(environ["wsgi.input"].read())
        except ConnectionError:
            raise
        except OSError as error:
            raise _BadLengthError(f"The body's chunks cannot be told apart: {error}.") from None
    if not (length.isascii() and length.isdecimal()):
        raise _BadLengthError(f"Content-Length {length} is not a number of bytes.")
    return bytes(environ["wsgi.input"].read(int(length)))


class _RequestHandler(MotoRequestHandler):
    """Reads a request whole, answers it whole, and waits for the next on the same connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Answers one request; werkzeug's own version closes the connection after each."""
        self.environ = environ = self.make_environ()
        try:
            environ["wsgi.input"] = BytesIO(_body(environ))
            status, headers, body = self._call(environ)
        except HangUpError:
            self.close_connection = True
            return
        except _BadLengthError as error:
            # Where the next request would begin is not known.
            self.close_connection = True
            status, body = "400 Bad Request", f"{error}\n".encode()
            headers = [("Content-Type", "text/plain"), ("Connection", "close")]
        self.send_response(int(status.split()[0]), status.partition(" ")[2])
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_expect_100(self) -> bool:
        """Says "100 Continue" at once: left in the buffer, it costs every upload boto3's patience of 1 s."""
        answered = super().handle_expect_100()
        self.wfile.flush()
        return answered

    def _call(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            started.append((status, headers))

        try:
            parts = self.server.app(environ, start_response)  # type: ignore[arg-type]  # no write(): nobody calls it
            try:
                body = b"".join(parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
        except HangUpError:
            raise
        except Exception:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return (
                "500 Internal Server Error",
                [("Content-Type", "text/plain")],
                b"local_aws failed; see its log\n",
            )
        return *started[-1], body

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Statements are logged, requests are not."""


class HttpServer(ThreadedWSGIServer):
    """A thread for each connection; it can also hang up on clients that keep theirs.

    Args:
        listening: A listening socket.
        application: Answers the requests.
    """

    daemon_threads = True

    def __init__(self, listening: socket.socket, application: Application) -> None:
        host, port = listening.getsockname()
        self._open: set[socket.socket] = set()
        super().__init__(host, port, application, handler=_RequestHandler, fd=listening.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remembers the connection."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets the connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends every open connection."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
