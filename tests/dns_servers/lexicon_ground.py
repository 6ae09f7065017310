"""dns-lexicon for the promises that every provider makes: its Cloudflare provider on the simulated Cloudflare."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any, Self
from unittest import mock

import pytest

from changeover.dns.providers.lexicon.lexicon import PROVIDER
from dns_servers.cloudflare_ground import CloudflareGround
from dns_servers.ground import NO_RIGHTS, RECORD_BY_RECORD

_NO_HTTPS = "a name with an HTTPS record is refused, since dns-lexicon cannot write one back; test_lexicon has it"
_NO_STATUS = "dns-lexicon hides the status of an answer"


@contextlib.contextmanager
def led_to(via: str, endpoint: str) -> Iterator[None]:
    """dns-lexicon's provider asks `endpoint` instead of the address that is written in it."""
    from lexicon._private.discovery import load_provider_module

    made = load_provider_module(via).Provider
    its_own = made.__init__

    def begin(provider: Any, config: Any) -> None:
        its_own(provider, config)
        provider.api_endpoint = endpoint

    made.__init__ = begin
    try:
        yield
    finally:
        made.__init__ = its_own


class LexiconGround(CloudflareGround):
    """Simulated. That Changeover has Cloudflare itself, and so refuses it in the settings, does not matter here."""

    kind = PROVIDER  # type: ignore[assignment]
    left_out = (RECORD_BY_RECORD | NO_RIGHTS) | {
        "test_everything_at_a_name_is_read_in_canonical_form": (
            "dns-lexicon lists MX records without their priority; test_lexicon has the other types"
        ),
        "test_a_change_and_its_undo[HTTPS record": _NO_HTTPS,
        "test_a_ttl_alone_is_changed": "a record set that stays keeps its TTL here; test_lexicon has it",
        "test_what_cannot_be_a_credential_is_an_auth_error": (
            "a password may be any text, and what one may not be, the provider says; test_lexicon has what is no JSON"
        ),
        "test_a_server_error_after_the_write_is_unsure": "record by record: what comes after it is not done",
        "test_a_write_that_came_too_early_waits_as_it_is_told": _NO_STATUS,
        "test_a_wait_that_is_too_long_is_told": _NO_STATUS,
        "test_a_redirect_is_not_followed": "dns-lexicon follows one at the same host, and none to another",
        "test_over_and_back_by_commands": (
            "its provider's address is written in dns-lexicon, where no other program can be led to a simulator"
        ),
    }

    def __enter__(self) -> Self:
        pytest.importorskip("lexicon", reason="dns-lexicon is not installed")
        self._stack = contextlib.ExitStack()
        super().__enter__()
        self._stack.enter_context(led_to("cloudflare", self.simulator.endpoint))
        # A simulator lists a change at once.
        self._stack.enter_context(mock.patch("changeover.dns.providers.lexicon.lexicon.LOOKS", (0.0, 0.05)))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        super().__exit__(*error)

    def options(self) -> dict[str, Any]:
        return {"via": "cloudflare", "minimum_ttl": 60}

    def secrets(self, secret: str) -> dict[str, str]:
        return {"auth": json.dumps({"auth_token": secret})}
