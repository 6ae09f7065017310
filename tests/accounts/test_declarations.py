"""What providers declare of their accounts is whole, and everything that shows accounts is made from it."""

from __future__ import annotations

import re
import typing
from urllib.parse import urlsplit

import pytest

from accounts.toy import PROVIDER as TOY
from changeover.dns.provider import ProviderType
from changeover.dns.providers import PROVIDERS, provider_type
from changeover.dns.providers.help import example_command, sentence
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import every_secret, misfits, option_fields, secret_fields

EVERY = pytest.mark.parametrize("name", PROVIDERS)


@EVERY
def test_every_key_has_its_words(name: str) -> None:
    """A label, what it means, and an example that its own pattern takes."""
    kind = provider_type(name)
    assert kind.label
    assert kind.tested
    for field in option_fields(kind.options):
        assert field.option.label, field.name
        assert field.option.help, field.name
        assert "\n" not in field.option.help
        if field.option.pattern:
            assert re.fullmatch(field.option.pattern, field.option.example), field.name
        if field.required:
            assert field.option.example, f"{field.name} is needed: an example says what it looks like"
        shown = field.choices or field.several or {bool, int, str} & set(field.kinds)
        assert shown, f"the form has no field for {field.name}"


@EVERY
def test_every_secret_has_its_words(name: str) -> None:
    """A label, what it is, the page where one makes it, the least permission, and an example of its own pattern."""
    for field in every_secret(provider_type(name)):
        assert field.label, field.name
        assert field.help, field.name
        assert field.permission, field.name
        assert urlsplit(field.link).scheme == "https", field.name
        if field.pattern:
            assert field.fitted(Secret(field.example)) is not None, field.name
            assert field.fitted(Secret(f" {field.example}\n")) is not None, "what a clipboard adds is no fault"
            assert field.fitted(Secret("canary")) is None, field.name
        assert field.name not in [key.name for key in option_fields(provider_type(name).options)]


@EVERY
def test_an_account_of_examples_is_opened_without_asking_anybody(name: str) -> None:
    """The examples are an account without a fault, and its capabilities are known before the first request."""
    kind = provider_type(name)
    filled = {f.name: f.value_of(f.option.example) for f in option_fields(kind.options) if f.required}
    options = kind.options(**filled)
    assert [fault for fault in kind.faults(options) if fault[0] != "key_name"] == []
    assert misfits(options) == []
    secrets = {field.name: Secret(field.example or "x" * 40) for field in kind.secrets(options)}
    opened = kind.open("dns-main", options, secrets)
    assert opened.capabilities.label


def test_a_value_has_the_type_of_its_key() -> None:
    """Whatever stands beside the type: what does not fit stays text."""
    fields = {field.name: field for field in option_fields(TOY.options)}
    typed = [
        ("region", "1", "1"),
        ("days", "6", 6),
        ("days", "-1", -1),
        ("days", "six", "six"),
        ("days", "٦", "٦"),
        ("slow", "true", True),
        ("slow", "yes", "yes"),
        ("rights", "read", "read"),
        ("rights", "all", "all"),
        ("names", "one, two,", ["one", "two"]),
    ]
    for key, text, value in typed:
        assert fields[key].value_of(text) == value, (key, text)
    assert fields["rights"].choices == ("write", "read", "unknown")
    assert fields["region"].blank == ""
    assert fields["days"].kinds == (int,)
    assert typing.get_origin(fields["names"].kinds[0]) is tuple


def test_secrets_that_depend_on_a_key() -> None:
    """They are known while other keys are still missing, and told with the others."""
    kind: ProviderType = TOY  # type: ignore[assignment]
    assert secret_fields(kind, {}) == ()
    assert [secret.name for secret in secret_fields(kind, {"signed": True}) or ()] == ["key", "pin"]
    assert secret_fields(kind, {"signed": "perhaps"}) is None
    key, pin = secret_fields(kind, {"signed": True}) or ()
    assert (key.several_lines, pin.several_lines) == (True, False)
    assert [pin.fitted(Secret(text)) for text in ("1234", " 1234\n", "12345")] == [Secret("1234"), Secret("1234"), None]
    assert [secret.name for secret in every_secret(provider_type("rfc2136"))] == ["secret"]


def test_the_example_command_is_whole() -> None:
    """With the key that makes the secret needed."""
    assert example_command("rfc2136", provider_type("rfc2136")) == (
        "changeover account add dns-main --provider rfc2136 --set server=ns1.shop.example --set key_name=changeover."
        " --secret-stdin"
    )
    assert example_command("desec", provider_type("desec")) == (
        "changeover account add dns-main --provider desec --secret-stdin"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("the address of the API", "The address of the API."),
        ("minimum_ttl in seconds", "minimum_ttl in seconds."),
        ("Make a token.", "Make a token."),
        ("", ""),
    ],
)
def test_a_part_of_a_sentence_becomes_one(text: str, told: str) -> None:
    """Names of settings stay as they are written."""
    assert sentence(text) == told
