"""docs/settings.md tells every key, its default, and an example that works."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import msgspec
import pytest
from msgspec import NODEFAULT, Struct

from changeover.accounts.kinds import KINDS
from changeover.dns.providers import PROVIDERS, provider_type
from changeover.model.health.check import HealthCheck, Journey, JourneyStep, Thresholds
from changeover.model.settings.account_fields import every_secret, option_fields
from changeover.model.settings.action import Action, Approval, HttpCall, Note, Phase
from changeover.model.settings.deployment_database import DeploymentDatabase, LagLimits
from changeover.model.settings.maintenance import Maintenance
from changeover.model.settings.platform import DriftRules
from changeover.model.settings.service import Deployment, LookupSettings, Service
from changeover.model.settings.version_endpoint import VersionEndpoint
from changeover.storage.settings import file as settings_file
from changeover.storage.settings.action_tables import ActionTable, Wait

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "settings.md").read_text()
#: By key, the default that its row tells.
ROWS = [(key, default.strip()) for key, default in re.findall(r"^\| `([a-z_]+)` \|([^|]*)\|", TEXT, re.MULTILINE)]
TABLES = (
    Service,
    Deployment,
    HealthCheck,
    Thresholds,
    JourneyStep,
    Maintenance,
    DriftRules,
    DeploymentDatabase,
    LagLimits,
    VersionEndpoint,
    ActionTable,
    HttpCall,
    Wait,
    LookupSettings,
)


def test_the_example_is_right() -> None:
    """It is a whole file, read without a fault; what it says of thresholds and lookup are the defaults."""
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    settings = settings_file.parse(example, Path("changeover.toml"), KINDS)
    shop = settings.services[0]
    assert len(shop.health.journeys[0].steps) == 3
    assert len(shop.maintenance) == 2
    assert [action.name for action in shop.actions] == ["read-only", "database", "ready", "go"]
    assert shop.health.thresholds == Thresholds()
    assert msgspec.structs.replace(settings.lookup, nameservers={}) == LookupSettings()


@pytest.mark.parametrize("kind", TABLES)
def test_every_key_is_told_with_its_default(kind: type[Struct]) -> None:
    """No key is missing, and no default is another than the program's."""
    for field in msgspec.structs.fields(kind):
        told = [default for key, default in ROWS if key == field.encode_name]
        if (kind is JourneyStep and field.name.startswith("expect_")) or (kind, field.name) == (Deployment, "options"):
            continue
        assert told, f"{kind.__name__}.{field.name}"
        if field.default is NODEFAULT and field.default_factory is NODEFAULT:
            assert "needed" in told
        elif isinstance(field.default, str):
            assert any(f'"{field.default}"' in default for default in told) or "as above" in told
        elif isinstance(field.default, bool):
            assert f"`{str(field.default).lower()}`" in told, f"{kind.__name__}.{field.name}"
        elif isinstance(field.default, int | float):
            assert f"`{field.default:g}`" in told, f"{kind.__name__}.{field.name}"


def test_the_usual_times_are_told() -> None:
    """How long an action may take, and how long a question waits for an answer."""
    usual = Action(name="x", phase=Phase.DRAIN, operation=Note(note="x"))
    limits = (f"{usual.limit(Note(note='x')):g}", f"{usual.limit(Approval(question='x')):g}")
    assert "| `timeout` | `{}` | seconds that it may take, 1 to 86400; an approval `{}` |".format(*limits) in TEXT


def test_no_key_is_told_that_does_not_exist() -> None:
    """What the document names is known to the program."""
    known = {field.encode_name for kind in (*TABLES, Journey) for field in msgspec.structs.fields(kind)} | {"provider"}
    assert {key for key, _ in ROWS} - known == set()


class TestProviders:
    """docs/providers.md, to which the document refers for the keys of accounts."""

    text = (DOCS / "providers.md").read_text()

    def test_it_is_what_the_providers_declare(self) -> None:
        """As `make providers` writes it."""
        written = runpy.run_path(str(DOCS / "write_providers.py"))
        assert self.text == written["document"](), "run: make providers"
        assert (DOCS / "platforms.md").read_text() == written["platforms_document"](), "run: make providers"

    @pytest.mark.parametrize("name", PROVIDERS)
    def test_every_key_and_secret_is_told(self, name: str) -> None:
        """In the provider's own part, keys with their defaults, and no other key."""
        kind = provider_type(name)
        part = self.text.partition(f"## {kind.label}\n")[2].partition("\n## ")[0]
        rows = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]*) \|", part, re.MULTILINE))
        fields = option_fields(kind.options)
        assert list(rows) == ["provider", *(field.name for field in fields)]
        for field in fields:
            if field.required:
                assert rows[field.name] == "needed"
            elif field.default in (None, "", ()):
                assert rows[field.name] == "none"
            else:
                assert str(field.default).lower() in rows[field.name].lower()
        for secret in every_secret(kind):
            assert secret.label in part
            assert secret.link in part
            assert secret.permission.rstrip(".") in part

    def test_every_provider_is_in_its_table(self) -> None:
        """By a link to its part."""
        for name in PROVIDERS:
            assert f"| [{provider_type(name).label}](#" in self.text
        anchors = {
            re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^## (.*)$", self.text, re.M)
        }
        assert set(re.findall(r"\]\(#([^)]*)\)", self.text)) == anchors
