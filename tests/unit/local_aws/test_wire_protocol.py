"""The protocol itself, message by message: what no well-behaved client would show."""

import socket
import struct

import pytest

from local_aws.wire import messages


class Client:
    """A bare client of the protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.stream = self.socket.makefile("rb")

    def send(self, kind, *parts):
        self.socket.sendall(messages.message(kind, *parts))

    def startup(self, code, content=b""):
        self.socket.sendall(struct.pack("!ii", len(content) + 8, code) + content)

    def read(self):
        kind, size = struct.unpack("!ci", self.stream.read(5))
        return kind, self.stream.read(size - 4)

    def until(self, last):
        found = []
        while not found or found[-1][0] != last:
            found.append(self.read())
        return found

    def kinds(self):
        return b"".join(kind for kind, _ in self.until(b"Z")).decode()


@pytest.fixture
def client(server):
    bare = Client(server.wire_port)
    yield bare
    bare.stream.close()
    bare.socket.close()


@pytest.fixture
def logged_in(client, login):
    import hashlib

    named = ["user", "awsuser", "database", "dev", "client_protocol_version", "2", "", ""]
    client.startup(messages.PROTOCOL_3, "\0".join(named).encode())
    _, content = client.read()
    inner = hashlib.md5((login["password"] + "awsuser").encode()).hexdigest()
    client.send(b"p", b"md5" + hashlib.md5(inner.encode() + content[4:]).hexdigest().encode() + b"\0")
    started = client.until(b"Z")
    client.settings = dict(content.split(b"\0")[:2] for kind, content in started if kind == b"S")
    return client


def test_encryption_is_refused_and_the_start_goes_on(client):
    for code in (messages.GSS_REQUEST, messages.SSL_REQUEST):
        client.startup(code)
        assert client.stream.read(1) == b"N"
    client.startup(messages.PROTOCOL_3, b"user\0awsuser\0\0")
    assert client.read()[0] == b"R"


def test_the_server_calls_itself_redshift(logged_in):
    assert logged_in.settings[b"server_version"] == b"8.0.2"
    assert b"server_protocol_version" not in logged_in.settings


def test_a_statement_is_described_before_it_is_bound(logged_in):
    logged_in.send(b"P", b"s\0", b"select 1 as n, 'x' as t where 1 = $1\0", struct.pack("!hI", 1, 23))
    logged_in.send(b"D", b"Ss\0")
    logged_in.send(b"S")
    answers = logged_in.until(b"Z")

    assert [kind for kind, _ in answers] == [b"1", b"t", b"T", b"Z"]
    assert answers[1][1] == struct.pack("!hI", 1, 23)
    assert answers[2][1].startswith(struct.pack("!h", 2) + b"n\0")


def test_a_portal_gives_its_rows_in_pieces(logged_in):
    logged_in.send(b"Q", b"begin\0")
    logged_in.kinds()
    logged_in.send(
        b"P", b"\0", b"select 1 as n union all select 2 union all select 3 order by n\0", struct.pack("!h", 0)
    )
    logged_in.send(b"B", b"\0\0", struct.pack("!hhh", 0, 0, 0))
    for _ in range(2):
        logged_in.send(b"E", b"\0", struct.pack("!i", 2))
    logged_in.send(b"S")
    assert logged_in.kinds() == "12DDsDCZ"


def test_after_an_error_everything_is_skipped_until_sync(logged_in):
    logged_in.send(b"P", b"\0", b"selekt\0", struct.pack("!h", 0))
    logged_in.send(b"B", b"\0\0", struct.pack("!hhh", 0, 0, 0))
    logged_in.send(b"D", b"P\0")
    logged_in.send(b"E", b"\0", struct.pack("!i", 0))
    logged_in.send(b"S")
    assert logged_in.kinds() == "12EZ"


@pytest.mark.parametrize(
    ("kind", "content", "sqlstate"),
    [
        (b"B", b"\0nobody\0" + struct.pack("!hhh", 0, 0, 0), b"26000"),
        (b"E", b"nobody\0" + struct.pack("!i", 0), b"34000"),
        (b"D", b"Pnobody\0", b"34000"),
    ],
)
def test_what_does_not_exist_is_an_error(logged_in, kind, content, sqlstate):
    logged_in.send(kind, content)
    logged_in.send(b"S")
    (_, error), *_ = logged_in.until(b"Z")
    assert b"C" + sqlstate in error


def test_closing_what_does_not_exist_is_no_error(logged_in):
    logged_in.send(b"C", b"Snobody\0")
    logged_in.send(b"S")
    assert logged_in.kinds() == "3Z"


def test_a_cancel_request_with_the_wrong_key_is_ignored(server, logged_in):
    logged_in.send(b"Q", b"select pg_backend_pid()\0")
    pid = int(next(content for kind, content in logged_in.until(b"Z") if kind == b"D")[6:])
    other = Client(server.wire_port)
    other.startup(messages.CANCEL_REQUEST, struct.pack("!iI", pid, 1))
    assert other.stream.read() == b""
    logged_in.send(b"Q", b"select 1\0")
    assert logged_in.kinds() == "TDCZ"


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (struct.pack("!ii", 8, 2 << 16), b"protocol 2.0 is not supported"),
        (b"GET / HTTP/1.1\r\n\r\n", b"this is not a PostgreSQL start-up message"),
        (struct.pack("!ii", 9, messages.PROTOCOL_3) + b"\0", b"no user name"),
        (struct.pack("!ii", 10, messages.PROTOCOL_3) + b"us", b"a text does not end"),
    ],
)
def test_what_is_no_start_gets_one_clear_error(client, start, message):
    client.socket.sendall(start)
    kind, content = client.read()
    assert kind == b"E"
    assert message in content
    assert client.stream.read() == b""


def test_a_client_that_vanishes_leaves_its_transaction_rolled_back(logged_in, execute, rows):
    execute("create table vanished (n int)")
    logged_in.send(b"Q", b"begin\0")
    logged_in.kinds()
    logged_in.send(b"Q", b"insert into vanished values (1)\0")
    logged_in.kinds()
    logged_in.stream.close()
    logged_in.socket.close()
    execute("insert into vanished values (2)")
    assert rows("select n from vanished") == [(2,)]


def test_an_unknown_message_ends_the_connection(logged_in):
    logged_in.send(b"?")
    assert b"is not supported" in logged_in.read()[1]
    assert logged_in.stream.read() == b""
