"""Requests signed by Signature Version 4, compared with what Amazon publishes and what its own library computes."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.dns.http.sigv4 import SigV4
from changeover.model.secret import Secret

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = "https://example.amazonaws.com"


def signed(request: httpx.Request, service: str = "service") -> httpx.Request:
    auth = SigV4(Secret(KEY_ID), Secret(SECRET), service, "us-east-1", lambda: MOMENT)
    return next(auth.sync_auth_flow(request))


@pytest.mark.parametrize(
    ("method", "target", "signature"),
    [
        ("GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ],
    ids=["get-vanilla", "post-vanilla", "get-vanilla-query-order-key-case"],
)
def test_published_vectors(method: str, target: str, signature: str) -> None:
    """Of Amazon's test suite for Signature Version 4, those that sign no more headers than these."""
    request = signed(httpx.Request(method, HOST + target))
    assert request.headers["X-Amz-Date"] == "20150830T123600Z"
    assert request.headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"
        f" SignedHeaders=host;x-amz-date, Signature={signature}"
    )


@given(
    path=st.lists(
        st.text("abz09-_.~ *", min_size=1, max_size=8).filter(lambda part: part not in (".", "..")), max_size=4
    ),
    query=st.dictionaries(st.text(min_size=1, max_size=6), st.text("a0 +*&=/\\~%ü", max_size=8), max_size=4),
    body=st.binary(max_size=64),
)
def test_the_same_as_botocore(path: list[str], query: dict[str, str], body: bytes) -> None:
    """For any path, query and body, of what is really sent."""
    auth = pytest.importorskip("botocore.auth", reason="botocore comes with moto, which is not installed")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = signed(
        httpx.Request("POST", f"{HOST}/2013-04-01/{'/'.join(path)}", params=query, content=body), "route53"
    )
    same = AWSRequest("POST", str(request.url), {"host": "example.amazonaws.com"}, data=body)
    same.headers["x-amz-date"] = same.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = auth.SigV4Auth(Credentials(KEY_ID, SECRET), "route53", "us-east-1")
    expected = signer.signature(signer.string_to_sign(same, signer.canonical_request(same)), same)
    assert request.headers["Authorization"].endswith(f"Signature={expected}")
    assert request.url.params == httpx.QueryParams(query)


def test_the_secret_stays_here() -> None:
    """It is neither in what is sent nor in what is printed."""
    request = signed(httpx.Request("GET", f"{HOST}/"))
    auth = SigV4(Secret(KEY_ID), Secret(SECRET), "route53", "us-east-1")
    assert SECRET not in f"{request.headers.raw} {request.url} {auth!r}"
