"""Keeps web pages out: any page that a browser shows can have it send requests to this machine.

What a page of another origin sends is refused. So is a request to a name that anybody can register: its owner
may let it lead to this machine (DNS rebinding), and the browser then takes the page for one of ours.
"""

import ipaddress
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Response

from local_aws.keep_alive import Application

# Nobody can register a name under these: RFC 6761 keeps the one, ICANN the other for private networks.
_THIS_MACHINE = ".localhost"
_PRIVATE = ".internal"


def is_loopback(host: str) -> bool:
    """Whether an address, or the name localhost, is reached from this machine alone."""
    address = _address(host)
    return address.is_loopback if address else host == "localhost"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class WebPagesKeptOut:
    """The application before all others.

    Args:
        application: Answers the requests that no web page sent.
        host: The address listened on; one that other machines reach has names in their network.
    """

    def __init__(self, application: Application, host: str) -> None:
        self._application = application
        self._is_local = is_loopback(host)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request; 403 to a web page."""
        refused = self._refused(environ)
        if refused is None:
            return self._application(environ, start_response)
        body = json.dumps({"__type": "AccessDeniedException", "message": refused})
        return Response(f"{body}\n", 403, content_type="application/json")(environ, start_response)

    def _refused(self, environ: dict[str, Any]) -> str | None:
        host, origin = environ.get("HTTP_HOST"), environ.get("HTTP_ORIGIN")
        if origin is not None and origin != f"http://{host}":
            return f"Origin {origin} is a web page's: no page can use this account."
        # A client that takes this for its proxy asks for a whole address; a page cannot make a browser do so.
        if host is None or environ["RAW_URI"].startswith("http://") or self._is_ours(host):
            return None
        names = "127.0.0.1 or localhost" if self._is_local else "an address or a name without dots"
        return f"Host {host} may be a web page's name for this machine: use {names}."

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if is_loopback(name) or name.endswith(_THIS_MACHINE):
            return True
        return not self._is_local and (
            _address(name) is not None or "." not in name or name.endswith(_PRIVATE)
        )
