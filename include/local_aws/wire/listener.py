"""Accepts connections to Redshift's port; each has a thread, a session and a key to cancel it."""

import contextlib
import logging
import secrets
import socket
import threading
from typing import BinaryIO

from local_aws.clusters import CLUSTER_IDENTIFIER, Clusters, EndpointNotFoundError
from local_aws.history import History
from local_aws.redshift import RedshiftError, Session
from local_aws.wire import messages, startup
from local_aws.wire.connection import Connection
from local_aws.wire.messages import ProtocolError
from local_aws.wire.runner import Runner
from local_aws.wire.startup import CancelRequest, Login, LoginError

log = logging.getLogger(__name__)

_STOP_SECONDS = 2.0
_HANG_UP_SECONDS = 0.5


class WireListener:
    """The default cluster's endpoint.

    Args:
        listening: The socket that clients connect to.
        clusters: Finds the warehouse and knows the passwords.
        statements: The history that statements are recorded in.
    """

    def __init__(self, listening: socket.socket, clusters: Clusters, statements: History) -> None:
        self._listening = listening
        self._clusters = clusters
        self._history = statements
        self._lock = threading.Lock()
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._sessions: dict[int, tuple[int, Session]] = {}
        self._sockets: dict[int, socket.socket] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="wire", daemon=True)
        self._watcher = threading.Thread(target=self._watch, name="wire-watch", daemon=True)

    def start(self) -> None:
        """Begins to accept."""
        self._thread.start()
        self._watcher.start()

    def stop(self) -> None:
        """Stops accepting and ends every connection."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        self._watcher.join()
        self.disconnect_all()

    def disconnect_all(self) -> None:
        """Cancels what runs and hangs up on every client, waiting up to two seconds for their threads."""
        with self._lock:
            clients, sessions = dict(self._clients), list(self._sessions.values())
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for _, session in sessions:
            session.cancel()
        for thread in clients.values():
            thread.join(_STOP_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(client,), name="wire-client", daemon=True)
            with self._lock:
                self._clients[client] = thread
            thread.start()

    def _watch(self) -> None:
        """Cancels the statement of a client that has gone; hangs up on sessions that were terminated."""
        while not self._stopped.wait(_HANG_UP_SECONDS):
            with self._lock:
                clients = [(self._sessions[pid][1], client) for pid, client in self._sockets.items()]
            for session, client in clients:
                if session.terminated:
                    with contextlib.suppress(OSError):
                        client.shutdown(socket.SHUT_RDWR)
                elif _has_gone(client):
                    session.cancel()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.closing(client), client.makefile("rb") as stream:
            try:
                self._converse(client, stream)
            except (EOFError, ConnectionError):
                log.debug("A client hung up")
            except (LoginError, RedshiftError) as error:
                what = str(error).removeprefix("ERROR:").removeprefix("FATAL:").strip()
                _last_words(client, error.sqlstate, what)
            except ProtocolError as error:
                _last_words(client, "08P01", str(error))
            except Exception as error:
                log.exception("A wire connection failed")
                _last_words(client, "XX000", f"local_aws failed: {error!r}")
            finally:
                with self._lock:
                    self._clients.pop(client, None)

    def _converse(self, client: socket.socket, stream: BinaryIO) -> None:
        login = startup.greet(stream, client.sendall, self._clusters)
        if isinstance(login, CancelRequest):
            self._cancel(login)
            return
        session = self._connect(login)
        key = secrets.randbits(32)
        try:
            with self._lock:
                self._sessions[session.pid] = (key, session)
                self._sockets[session.pid] = client
            client.sendall(startup.welcome(login, session.pid, key))
            Connection(client, stream, Runner(session, login, self._history)).serve()
        finally:
            with self._lock:
                self._sessions.pop(session.pid, None)
                self._sockets.pop(session.pid, None)
            session.close()

    def _connect(self, login: Login) -> Session:
        try:
            warehouse = self._clusters.behind_the_wire().warehouse
        except EndpointNotFoundError:
            raise LoginError(f"cluster {CLUSTER_IDENTIFIER} is not available", "57P03") from None
        return warehouse.connect(login.database, login.user)

    def _cancel(self, request: CancelRequest) -> None:
        """Silent, as PostgreSQL is: the asker learns nothing, the cancelled query tells."""
        with self._lock:
            key, session = self._sessions.get(request.pid, (None, None))
        if session is not None and key == request.key:
            session.cancel()


def _has_gone(client: socket.socket) -> bool:
    """Whether the client has hung up; what it has sent stays to be read."""
    try:
        return client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _last_words(client: socket.socket, sqlstate: str, what: str) -> None:
    with contextlib.suppress(OSError):
        client.sendall(messages.error("FATAL", sqlstate, what))
