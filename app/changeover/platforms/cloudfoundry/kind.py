"""Cloud Foundry as settings, forms and commands know it: its secrets, and what can be asked of it.

Settings are checked against this without loading an HTTP client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from changeover.model.secret import Secret
from changeover.model.settings.account_fields import SecretField, misfits
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import HostnameOptions, NoOptions, PlatformOperation, ProcessScaleOptions
from changeover.platforms.cloudfoundry.declaration import CloudFoundryOptions, CloudFoundryTarget

if TYPE_CHECKING:
    from changeover.platforms.cloudfoundry.foundation import CloudFoundry

#: The least that lets an account look and do all of what is declared below.
_PERMISSION = (
    "role space_developer in the deployments' spaces, and of the scopes cloud_controller.read and"
    " cloud_controller.write; space_auditor and cloud_controller.read are enough to look, but not at configuration"
)


def _operation(verb: Verb, does: str, reverse: Verb | None, options: type[Struct] = NoOptions) -> PlatformOperation:
    return PlatformOperation(
        verb=verb,
        does=does,
        reverse=reverse,
        permission="role space_developer in the space, scope cloud_controller.write",
        idempotent=True,
        options=options,
    )


class CloudFoundryKind:
    """What Cloud Foundry declares."""

    label = "Cloud Foundry"
    tested = "a simulator that is held to the published API description, and with the client of PyPI"
    options = CloudFoundryOptions
    target = CloudFoundryTarget
    operations = (
        _operation(
            "scale",
            "As many instances run as are asked for, some seconds later; with none, visitors get status 404",
            "scale",
            ProcessScaleOptions,
        ),
        _operation("start", "The app's processes run, as many as each is scaled to", "stop"),
        _operation("stop", "None of the app's processes runs; visitors get status 404", "start"),
        _operation(
            "restart",
            "A rolling deployment of the current droplet begins: instances are replaced one by one, without a gap."
            " A stopped app is started",
            None,
        ),
        _operation(
            "attach-domain",
            "The hostname's route leads to the app; it is made where the space has none. In maintenance it leads to the"
            " page first",
            "detach-domain",
            HostnameOptions,
        ),
        _operation(
            "detach-domain",
            "The hostname's route leads to the app no longer. The route itself stays in the space",
            "attach-domain",
            HostnameOptions,
        ),
        _operation(
            "maintenance-on",
            "All routes of the app lead to the deployment's `maintenance_app` instead",
            "maintenance-off",
        ),
        _operation("maintenance-off", "The routes lead to where they led before", "maintenance-on"),
    )

    @staticmethod
    def secrets(options: CloudFoundryOptions) -> tuple[SecretField, ...]:
        match options.login:
            case "client":
                return (_secret("client_secret", "Client secret", "The secret of a UAA client"),)
            case "password":
                return (_secret("password", "Password", "The user's password"),)
            case "refresh":
                told = "What `cf login` left as RefreshToken in ~/.cf/config.json"
                return (_secret("refresh_token", "Refresh token", told, r"[!-~]{8,16384}"),)
            case "passcode":
                told = "The one-time code of the login server's page /passcode. It works once, within minutes"
                return (_secret("passcode", "Passcode", told, r"[!-~]{4,256}"),)
            case "token":
                told = "A token that the API takes as it is, until it ends"
                return (_secret("token", "Bearer token", told, r"[!-~]{8,16384}"),)

    @staticmethod
    def faults(options: CloudFoundryOptions) -> list[tuple[str, str]]:
        from changeover.dns.http.endpoint import is_safe_endpoint

        found = misfits(options)
        for key, address in (("endpoint", options.endpoint), ("uaa", options.uaa)):
            if (address or key == "endpoint") and not is_safe_endpoint(address):
                found.append((key, "an https address (plain http only on this computer) without user or query"))
        if options.login == "client" and not options.client:
            found.append(("client", "the id of the client whose secret it is"))
        if options.login == "password" and not options.username:
            found.append(("username", "the user whose password it is"))
        return found

    @staticmethod
    def host(options: CloudFoundryOptions) -> str:
        """Where the secret goes: the login server, where it is named; else only what is beside the API."""
        return urlsplit(options.uaa or options.endpoint).hostname or ""

    @staticmethod
    def open(account: str, options: CloudFoundryOptions, secrets: Mapping[str, Secret]) -> CloudFoundry:
        from changeover.platforms.cloudfoundry.foundation import CloudFoundry  # its HTTP client takes long to import

        return CloudFoundry(account, options, secrets)


def _secret(name: str, label: str, help: str, pattern: str = "") -> SecretField:
    return SecretField(name=name, label=label, help=help, permission=_PERMISSION, pattern=pattern)
