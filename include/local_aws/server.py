"""One process that is AWS: our services first, moto for the rest, and Redshift's own port on request."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local_aws import VERSION, clusters
from local_aws.calls import Calls
from local_aws.control import MOTO_API, PREFIX, Action, Control
from local_aws.durability import Store
from local_aws.durability.replay import Recorded
from local_aws.fault_injection import FaultInjection
from local_aws.faults import Faults
from local_aws.glue_jobs.models import GlueJobsBackend
from local_aws.glue_jobs.responses import GlueJobsResponse
from local_aws.glue_jobs.run import Account
from local_aws.glue_jobs.urls import TARGETS
from local_aws.history import History, now
from local_aws.keep_alive import Application, HttpServer
from local_aws.redshift_data import urls
from local_aws.redshift_data.models import RedshiftDataBackend
from local_aws.redshift_data.responses import RedshiftDataResponse
from local_aws.redshift_data.statements import Statement
from local_aws.supplements import SupplementedMoto
from local_aws.web_pages import WebPagesKeptOut
from local_aws.wire.listener import WireListener
from local_aws.wire.runner import WireStatement

# The account was made to its end; with the default cluster, or without.
_WHOLE = "whole"

DEFAULT_CLUSTER = {
    "cluster": clusters.CLUSTER_IDENTIFIER,
    "database": clusters.DATABASE,
    "user": clusters.MASTER_USER,
    "secret": clusters.SECRET_NAME,
}


class PortTakenError(OSError):
    """Another process listens on the port."""


class Front:
    """The WSGI application before moto's dispatcher.

    Args:
        services: Our services by what `X-Amz-Target` starts with; a single operation may have its own.
        control: What answers below `controlled`.
        controlled: What paths start with that are no service's; no S3 bucket can be called so.
        moto: What answers everything else.
    """

    def __init__(
        self,
        services: dict[str, Application],
        control: Application,
        controlled: tuple[str, ...],
        moto: Application,
    ) -> None:
        self._services = services
        self._control = control
        self._controlled = controlled
        self._moto = moto

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Hands a request to the service it is for."""
        return self._service(environ)(environ, start_response)

    def _service(self, environ: dict[str, Any]) -> Application:
        if environ["PATH_INFO"].startswith(self._controlled):
            return self._control
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        for prefix, service in self._services.items():
            if target.startswith(prefix):
                return service
        return self._moto


class Server:
    """A whole account on one port. One at a time in a process, since moto's state is the process's.

    Args:
        host: The address to listen on.
        port: The port of AWS's HTTP interface; 0 takes a free one.
        wire_port: The port of Redshift's PostgreSQL interface; 0 takes a free one, None has none.
        empty: Start without the default cluster and its secret, as a new account of AWS's.
        airflow_url: The Airflow that MWAA's InvokeRestApi leads to; None: nothing runs behind environments.
        faults: Whether requests and statements may be made to fail at /_local/faults. What else is for tests
            is on and off with it: the statements' texts at /_local/statements, /_local/reset, and /moto-api.
        data_folder: Where the account outlives this process; None keeps it in memory.

    Raises:
        DataFolderError: The folder cannot be used.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        wire_port: int | None = None,
        empty: bool = False,
        airflow_url: str | None = None,
        faults: bool = False,
        data_folder: Path | None = None,
    ) -> None:
        self._host = host
        self._empty = empty
        self._airflow_url = airflow_url
        self._port = port
        self._asked_wire_port = wire_port
        self._wire: WireListener | None = None
        self._data_folder = data_folder
        self._faults = Faults() if faults else None
        self._calls = Calls()

    def start(self) -> Self:
        """Listens, and makes the account: as it was, or with the default cluster unless it is to be empty.

        Raises:
            PortTakenError: A port is in use.
            DataFolderError: The data folder cannot be used.
        """
        with contextlib.ExitStack() as undo:
            self._store = Store(self._data_folder) if self._data_folder else None
            if self._store is not None:
                undo.callback(self._store.close)
            listening = undo.enter_context(_listen(self._host, self._port))
            wire_socket = None
            if self._asked_wire_port is not None:
                wire_socket = undo.enter_context(_listen(self._host, self._asked_wire_port))
            undo.pop_all()
        self._listening = listening
        reachable = "127.0.0.1" if self._host == "0.0.0.0" else self._host  # noqa: S104  # compared, not bound
        self.endpoint_url = f"http://{reachable}:{listening.getsockname()[1]}"
        self.wire_port = wire_socket.getsockname()[1] if wire_socket else None
        moto_api_backend.reset()
        self.clusters = clusters.Clusters(
            self.endpoint_url,
            self.wire_port,
            self._faults.strike_statement if self._faults else None,
            self._store,
        )
        self._history = History(self._store)
        self.redshift_data = RedshiftDataBackend(self.clusters, self._history)
        self.glue_jobs = GlueJobsBackend(Account(self.endpoint_url, self.clusters.client), self._store)
        moto: Application = SupplementedMoto(
            DomainDispatcherApplication(create_backend_app), self._airflow_url
        )
        is_new = True
        if self._store is not None:
            moto = recorded = Recorded(moto, self._store)
            is_new = not self._restore(recorded, self._store)
        services = FaultInjection(self._application(moto), self._faults)
        self._http = HttpServer(listening, WebPagesKeptOut(services, self._host))
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.1,), name="http", daemon=True
        )
        self._thread.start()
        if is_new:
            self._create_default()
        elif self.clusters.has_default:
            self.clusters.move_default()
        if wire_socket is not None:
            self._wire = WireListener(wire_socket, self.clusters, self._history)
            self._wire.start()
        self._started = now()
        return self

    def _restore(self, recorded: Recorded, store: Store) -> bool:
        """Makes the account as an earlier process left it; False if there was none, or it never was whole."""
        whole = store.kept(_WHOLE)
        if not whole:
            store.clear()
            return False
        (self.clusters.has_default,) = whole
        recorded.replay()
        statements = self._history.restore()
        self.redshift_data.restore(one for one in statements if isinstance(one, Statement))
        for one in statements:
            if isinstance(one, WireStatement):
                one.lose()
        self.glue_jobs.restore()
        return True

    def _create_default(self) -> None:
        if not self._empty:
            self.clusters.create_default()
        if self._store is not None:
            self._store.keep(_WHOLE, "account", value=self.clusters.has_default)

    def _application(self, moto: Application) -> Application:
        services = Front(
            {
                urls.TARGET_PREFIX: RedshiftDataResponse(self.redshift_data),
                **dict.fromkeys(TARGETS, GlueJobsResponse(self.glue_jobs)),
            },
            self._control(),
            (PREFIX, MOTO_API) if self._faults is None else (PREFIX,),
            moto,
        )
        return self._calls.recorded(services)

    def _control(self) -> Control:
        actions: dict[tuple[str, str], Action] = {
            ("GET", f"{PREFIX}health"): self.health,
            ("GET", f"{PREFIX}calls"): self._calls.records,
        }
        for_tests: dict[tuple[str, str], Action] = {
            ("GET", f"{PREFIX}statements"): self._history.records,
            ("POST", f"{PREFIX}reset"): self.reset,
        }
        return Control(actions, off=for_tests) if self._faults is None else Control(actions | for_tests)

    def health(self) -> dict[str, object]:
        """What runs here, for a client that waits for it."""
        return {
            "status": "ok",
            "version": VERSION,
            "started": self._started.isoformat(),
            "endpoint_url": self.endpoint_url,
            "wire_port": self.wire_port,
            **({} if self._empty else DEFAULT_CLUSTER),
        }

    def reset(self) -> dict[str, object]:
        """Back to the start: no data, no records, the default cluster as new; its password stays."""
        self._close_services()
        self._history.clear()
        if self._faults is not None:
            self._faults.clear()
        self._calls.clear()
        moto_api_backend.reset()
        if self._store is not None:
            self._store.clear()
        self._create_default()
        return self.health()

    def _close_services(self) -> None:
        self.glue_jobs.close()
        self.redshift_data.close()
        if self._wire is not None:
            self._wire.disconnect_all()
        self.clusters.close()

    def stop(self) -> None:
        """Cancels what runs, closes every connection, removes the temporary data and frees the ports."""
        self._close_services()
        if self._wire is not None:
            self._wire.stop()
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()
        self._listening.close()
        if self._store is not None:
            self._store.close()

    def __enter__(self) -> Self:
        """Starts it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self.stop()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise PortTakenError(
            f"Cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}; choose another port."
        ) from None
