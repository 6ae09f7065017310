"""Requests signed as Amazon's APIs want it: Signature Version 4
(docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

Of all the libraries that sign, the one that is both kept well and widely used is botocore, which is larger than all of
Changeover. What is needed of the scheme is this page.

What is signed: the method, the path, the query, the host, the moment, and the body. The secret itself is never sent.
The moment must be that of Amazon's clocks within a few minutes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from changeover.dns.http.api import Request, Signature
from changeover.model.secret import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNED_HEADERS = "host;x-amz-date"


class SigV4(Signature):
    """Signs each request with a long-term access key, for one service in one region.

    `now` says what time it is.
    """

    def __init__(
        self,
        access_key_id: Secret,
        secret_access_key: Secret,
        service: str,
        region: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._access_key_id = access_key_id
        self._secret = secret_access_key
        self._service = service
        self._region = region
        self._now = now

    def sign(self, request: Request) -> None:
        moment = self._now().strftime("%Y%m%dT%H%M%SZ")
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        query = _canonical_query(query)
        if query:
            # What is sent is exactly what is signed: the client would write a space as "+".
            request.url = request.url.copy_with(query=query.encode("ascii"))
        canonical = "\n".join(
            (
                request.method,
                # Escaped once more than it is sent, as every service but S3 does it.
                quote(path, safe="/~"),
                query,
                f"host:{request.headers['Host']}\nx-amz-date:{moment}\n",
                _SIGNED_HEADERS,
                hashlib.sha256(request.content).hexdigest(),
            )
        )
        scope = f"{moment[:8]}/{self._region}/{self._service}/aws4_request"
        signed = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode("utf-8")).hexdigest()))
        request.headers["X-Amz-Date"] = moment
        request.headers["Authorization"] = (
            f"{_ALGORITHM} Credential={self._access_key_id.reveal()}/{scope}, SignedHeaders={_SIGNED_HEADERS},"
            f" Signature={_mac(self._key(scope), signed).hex()}"
        )

    def _key(self, scope: str) -> bytes:
        """The signing key, derived from the secret for one day, region and service."""
        key = self._secret.after("AWS4").reveal().encode()
        for part in scope.split("/"):
            key = _mac(key, part)
        return key


def _canonical_query(query: str) -> str:
    """Every name and value escaped by RFC 3986, in the order of the escaped text."""
    pairs = (
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).digest()
