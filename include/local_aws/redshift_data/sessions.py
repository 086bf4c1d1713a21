"""Sessions of the Data API: a connection that outlives its statement, with its temporary tables."""

import threading
import uuid
from datetime import timedelta

from local_aws.history import now
from local_aws.redshift import Session
from local_aws.redshift_data.statements import Connections, Target


class DataApiSession(Connections):
    """A connection kept between statements; one statement at a time.

    Args:
        target: Where it is connected and as whom.
        keep_alive: Seconds that it stays open after a statement; 0 closes it at once.
    """

    def __init__(self, target: Target, keep_alive: int) -> None:
        self.session_id = self.id = str(uuid.uuid4())
        self.target = target
        self.keep_alive = keep_alive
        self.status = "BUSY"
        self.current_statement_id: str | None = None
        self.created_at = self.updated_at = now()
        self._connection: Session | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def reserve(self) -> bool:
        """Takes the session for one statement; False if it is busy or closed."""
        with self._lock:
            if self.status != "AVAILABLE":
                return False
            self._stop_timer()
            self.status, self.updated_at = "BUSY", now()
            return True

    def open(self, target: Target) -> Session:
        """The session's own connection, made by its first statement."""
        if self._connection is None:
            try:
                self._connection = target.connect()
            except BaseException:
                self.close()
                raise
        return self._connection

    def done(self, connection: Session) -> None:  # noqa: ARG002  # it is the session's own
        """Makes the session free again and starts its time to live."""
        with self._lock:
            self.current_statement_id = None
            self.status, self.updated_at = "AVAILABLE", now()
            if self.keep_alive:
                self._timer = threading.Timer(self.keep_alive, self._expire)
                self._timer.daemon = True
                self._timer.start()
        if not self.keep_alive:
            self.close()

    def _expire(self) -> None:
        if self.reserve():
            self.close()

    def close(self) -> None:
        """Closes the connection: temporary tables and open transactions are gone."""
        with self._lock:
            self._stop_timer()
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if self.status != "CLOSED":
                self.status, self.updated_at = "CLOSED", now()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def description(self) -> dict[str, object]:
        """The session as `SessionData`."""
        data = {
            "SessionId": self.id,
            "Status": self.status,
            "CreatedAt": self.created_at,
            "UpdatedAt": self.updated_at,
            "Database": self.target.database,
            "DbUser": self.target.db_user,
            "ClusterIdentifier": self.target.cluster_identifier,
            "WorkgroupName": self.target.workgroup_name,
            "SessionAliveSeconds": self.keep_alive,
            "SessionTtl": self.updated_at + timedelta(seconds=self.keep_alive),
            "CurrentStatementId": self.current_statement_id if self.status == "BUSY" else None,
        }
        return {name: value for name, value in data.items() if value is not None}
