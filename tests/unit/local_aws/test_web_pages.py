"""What a page in the developer's browser can do to an account on the same machine: nothing."""

import http.client
import json
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from werkzeug.test import Client
from werkzeug.wrappers import Response

from local_aws.web_pages import WebPagesKeptOut

PAGE = {"Origin": "https://evil.example"}
SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture
def ask(server):
    """Sends one request as it stands; gives the status, the headers and the body."""

    def send(method, path, headers, body=None, host=None):
        where = urlsplit(server.endpoint_url)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
        connection.putrequest(method, path, skip_host=True)
        content = body.encode() if body is not None else b""
        for name, value in {
            "Host": host or where.netloc,
            "Content-Length": str(len(content)),
            **headers,
        }.items():
            connection.putheader(name, value)
        connection.endheaders(content)
        answer = connection.getresponse()
        told = (answer.status, answer.headers, answer.read())
        connection.close()
        return told

    return send


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8080"])
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("OPTIONS", "/", {"Access-Control-Request-Method": "POST"}),
        ("POST", "/", {"X-Amz-Target": "RedshiftData.ExecuteStatement"}),
        ("POST", "/", {"X-Amz-Target": "AWSGlue.StartJobRun", "Authorization": SIGNED.format("glue")}),
        ("GET", "/lake?list-type=2", {}),
        ("POST", "/_local/reset", {}),
        ("POST", "/moto-api/reset", {}),
    ],
)
def test_a_request_of_another_origin_is_refused_before_anything_sees_it(ask, method, path, headers, origin):
    status, told, body = ask(method, path, {**headers, "Origin": origin}, "{}")
    assert status == 403
    assert "Access-Control-Allow-Origin" not in told
    assert json.loads(body)["message"] == f"Origin {origin} is a web page's: no page can use this account."


def test_a_page_can_put_no_script_into_a_bucket_and_empty_nothing(ask, aws):
    s3 = aws("s3")
    s3.create_bucket(Bucket="scripts")
    form = '--B\r\nContent-Disposition: form-data; name="key"\r\n\r\nx.py\r\n'
    form += '--B\r\nContent-Disposition: form-data; name="file"; filename="x.py"\r\n\r\nprint()\r\n--B--\r\n'
    as_form = {"Content-Type": "multipart/form-data; boundary=B"}

    assert ask("POST", "/scripts", PAGE | as_form, form)[0] == 403
    assert ask("POST", "/moto-api/reset", PAGE)[0] == 403
    assert s3.list_objects_v2(Bucket="scripts")["KeyCount"] == 0
    # The same form of a program arrives.
    assert ask("POST", "/scripts", as_form, form)[0] == 204
    assert s3.list_objects_v2(Bucket="scripts")["KeyCount"] == 1


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "[", "lan"],
)
def test_a_name_that_leads_here_is_refused(ask, server, host):
    named = host.format(port=urlsplit(server.endpoint_url).port)
    status, _, body = ask("GET", "/_local/health", {"Origin": f"http://{named}"}, host=named)
    assert status == 403
    assert json.loads(body)["message"] == (
        f"Host {named} may be a web page's name for this machine: use 127.0.0.1 or localhost."
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
def test_this_machine_s_own_names_are_answered(ask, server, host):
    named = host.format(port=urlsplit(server.endpoint_url).port)
    assert ask("GET", "/_local/health", {}, host=named)[0] == 200
    assert ask("GET", "/_local/health", {"Origin": f"http://{named}"}, host=named)[0] == 200


def test_a_bucket_before_localhost_and_a_link_that_a_browser_opens_are_answered(ask, aws, server):
    port = urlsplit(server.endpoint_url).port
    s3 = aws("s3", config=Config(s3={"addressing_style": "virtual"}), endpoint_url=f"http://localhost:{port}")
    aws("s3").create_bucket(Bucket="before")
    aws("s3").put_object(Bucket="before", Key="one", Body=b"1")
    link = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "before", "Key": "one"}))
    assert link.netloc == f"before.localhost:{port}"
    assert ask("GET", f"{link.path}?{link.query}", {}, host=link.netloc)[::2] == (200, b"1")


def test_a_client_that_goes_through_the_server_as_its_proxy_is_answered(ask):
    headers = {"Authorization": SIGNED.format("airflow")}
    assert ask("GET", "http://api.mwaa.test/environments", headers, host="api.mwaa.test")[0] == 200
    assert ask("GET", "http://api.mwaa.test/environments", headers | PAGE, host="api.mwaa.test")[0] == 403


@pytest.mark.parametrize(
    ("host", "here", "in_a_network"),
    [
        ("localhost:4599", 200, 200),
        ("local-aws:4599", 403, 200),
        ("192.168.7.9:4599", 403, 200),
        ("[fd00::1]:4599", 403, 200),
        ("host.docker.internal:4599", 403, 200),
        ("evil.example:4599", 403, 403),
        ("192.168.7.9.evil.example", 403, 403),
    ],
)
def test_names_in_a_network_are_answered_only_where_other_machines_may_reach_the_server(
    host, here, in_a_network
):
    def answered_by(address):
        pages = WebPagesKeptOut(Response("mine"), address)
        return Client(pages).get("/", headers={"Host": host}).status_code

    assert (answered_by("127.0.0.1"), answered_by("::1")) == (here, here)
    assert answered_by("0.0.0.0") == in_a_network
