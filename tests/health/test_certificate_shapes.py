"""Certificates of every shape at a real TLS server: the verdict is curl's and OpenSSL's, and the words say why.

Where they take what browsers refuse, the table says so.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec import Struct

from changeover.health.probe import probe
from changeover.model.health.check import HealthCheck
from changeover.model.health.probe_result import Cause, ProbeResult
from changeover.model.settings.service import Answer, Deployment
from health.web import answering, serving
from web_servers.certificates import server_context
from web_servers.chains import CLIENT, issued, shown

WWW = "www.shop.example"
BACKUP = Deployment(name="backup", answer=Answer(a=("127.0.0.1",)))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"

ROOT = issued("Shop Root", authority=True)
MIDDLE = issued("Shop Middle", ROOT, authority=True)
OLD_MIDDLE = issued("Shop Middle", ROOT, authority=True, key=MIDDLE.key, end=-3)
COMING_MIDDLE = issued("Shop Middle", ROOT, authority=True, key=MIDDLE.key, start=2)
BOUND = issued("Shop Bound", ROOT, authority=True, only_below=["shop.example"])
ELSEWHERE = issued("Shop Elsewhere", ROOT, authority=True, only_below=["other.example"])
LEAF = issued(WWW, MIDDLE, WWW)
OTHER_ROOT = issued("Nobody's Root", authority=True)


class Shape(Struct, frozen=True):
    """What a server shows, what is said of it, and whether curl and OpenSSL take it all the same."""

    pem: bytes
    words: str
    curl: bool = False
    openssl: bool = False


GOOD = {
    "EC, 256 bits": shown(issued(WWW, ROOT, WWW)),
    "EC, 384 bits": shown(issued(WWW, ROOT, WWW, key=ec.generate_private_key(ec.SECP384R1()))),
    "EC, 521 bits": shown(issued(WWW, ROOT, WWW, key=ec.generate_private_key(ec.SECP521R1()))),
    "RSA": shown(issued(WWW, ROOT, WWW, key=rsa.generate_private_key(65537, 2048))),
    "Ed25519": shown(issued(WWW, ROOT, WWW, key=ed25519.Ed25519PrivateKey.generate())),
    "a whole chain": shown(LEAF, MIDDLE),
    "with the root": shown(LEAF, MIDDLE, ROOT),
    "in another order": shown(LEAF, ROOT, MIDDLE),
    "what nobody needs beside it": shown(LEAF, MIDDLE, OTHER_ROOT),
    "an expired one beside the one that replaces it": shown(LEAF, OLD_MIDDLE, MIDDLE),
    "an authority for these names": shown(issued(WWW, BOUND, WWW), BOUND),
    "a wildcard": shown(issued("shop", ROOT, "*.shop.example")),
    "capital letters": shown(issued("shop", ROOT, "WWW.Shop.EXAMPLE")),
    "an address beside the name": shown(issued("shop", ROOT, "192.0.2.7", WWW)),
}
CHAIN = "the chain is incomplete or its authority is not trusted"
BAD = {
    "for an address": Shape(shown(issued("shop", ROOT, "127.0.0.1")), f"it is for 127.0.0.1, not for {WWW}"),
    "a wildcard as common name": Shape(
        shown(issued("*.shop.example", ROOT)),
        "*.shop.example is only its common name, which browsers do not look at: it needs a DNS name",
        curl=True,
        openssl=True,
    ),
    "a common name": Shape(
        shown(issued(WWW, ROOT)),
        f"{WWW} is only its common name, which browsers do not look at: it needs a DNS name",
        curl=True,
        openssl=True,
    ),
    "a wildcard for a level more": Shape(
        shown(issued("shop", ROOT, "*.example")), f"it is for *.example, not for {WWW}"
    ),
    "a wildcard that is a part": Shape(
        shown(issued("shop", ROOT, "w*.shop.example")), f"it is for w*.shop.example, not for {WWW}", openssl=True
    ),
    "a wildcard further on": Shape(
        shown(issued("shop", ROOT, "www.*.example")), f"it is for www.*.example, not for {WWW}"
    ),
    "a piece is missing": Shape(shown(LEAF), f"{CHAIN} (issuer: Shop Middle)"),
    "another's root": Shape(shown(issued(WWW, OTHER_ROOT, WWW), OTHER_ROOT), f"{CHAIN} (issuer: Nobody's Root)"),
    "expired": Shape(shown(issued(WWW, MIDDLE, WWW, end=-3), MIDDLE), "it expired 3 days ago"),
    "an expired authority": Shape(
        shown(LEAF, OLD_MIDDLE), "a certificate of an authority in its chain has expired (issuer: Shop Middle)"
    ),
    "an authority of the future": Shape(
        shown(LEAF, COMING_MIDDLE),
        "a certificate of an authority in its chain is not valid yet (issuer: Shop Middle)",
    ),
    "an authority for other names": Shape(
        shown(issued(WWW, ELSEWHERE, WWW), ELSEWHERE),
        f"its authority may issue none for {WWW} (issuer: Shop Elsewhere)",
    ),
    "for clients": Shape(
        shown(issued(WWW, ROOT, WWW, purpose=CLIENT)), "unsuitable certificate purpose (issuer: Shop Root)"
    ),
    "issued by one that is no authority": Shape(
        shown(issued("shop", LEAF, WWW), LEAF, MIDDLE), f"invalid CA certificate (issuer: {WWW})"
    ),
}


async def said_by(program: str, *arguments: str, within: float = 60) -> tuple[int | None, str]:
    """The exit status of a program, and all that it wrote."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(within):
        out, _ = await process.communicate()
    return process.returncode, out.decode(errors="replace")


async def verdicts(folder: Path, pem: bytes) -> tuple[ProbeResult, bool, bool]:
    """What Changeover, curl and OpenSSL say of a server that shows this."""
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(ROOT.pem)
    async with serving(answering(OK), server_context(folder, pem)) as web:
        check = HealthCheck(port=web.port, ca_file=str(ca_file), timeout=60, tls_timeout=60)
        place = ["--resolve", f"{WWW}:{web.port}:127.0.0.1", f"https://{WWW}:{web.port}/"]
        found, (status, _), (_, seen) = await asyncio.gather(
            probe(BACKUP, WWW, "127.0.0.1", check),
            said_by("curl", "-sS", "--cacert", str(ca_file), *place),
            said_by(
                *("openssl", "s_client", "-connect", f"127.0.0.1:{web.port}", "-servername", WWW),
                *("-CAfile", str(ca_file), "-verify_hostname", WWW),
            ),
        )
    return found, status == 0, "Verify return code: 0 (ok)" in seen


@pytest.mark.parametrize("pem", GOOD.values(), ids=GOOD)
async def test_a_good_one_is_good(tmp_path: Path, pem: bytes) -> None:
    """By every kind of key, and however much else is shown with it."""
    found, curl, openssl = await verdicts(tmp_path, pem)
    assert (found.ok, found.certificate_error, curl, openssl) == (True, None, True, True)


@pytest.mark.parametrize("shape", BAD.values(), ids=BAD)
async def test_a_bad_one_is_refused_in_words(tmp_path: Path, shape: Shape) -> None:
    """What is wrong with it, and with none of it what is in order."""
    found, curl, openssl = await verdicts(tmp_path, shape.pem)
    assert (found.ok, found.cause) == (False, Cause.CERTIFICATE)
    assert found.certificate_error == shape.words
    assert (curl, openssl) == (shape.curl, shape.openssl)
