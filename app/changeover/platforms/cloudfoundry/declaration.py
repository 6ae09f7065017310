"""What an account at a Cloud Foundry and a deployment there are, and what can be asked of one.

Nothing here is sent: settings are checked against this without loading an HTTP client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField, misfits
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import NoOptions, PlatformOperation

if TYPE_CHECKING:
    from changeover.platforms.cloudfoundry.foundation import CloudFoundry

#: The client that the cf command is, without a secret, for logins that name no other (docs.cloudfoundry.org/uaa).
PUBLIC_CLIENT = "cf"

_HOSTNAME = r"(\*\.)?([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}"
#: The least that lets an account look and do all of what is declared below.
_PERMISSION = (
    "role space_developer in the deployments' spaces, and of the scopes cloud_controller.read and"
    " cloud_controller.write; space_auditor and cloud_controller.read are enough to look, but not at configuration"
)


class CloudFoundryOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[
        str, Option("API", "the address of the API, which `cf api` shows", "https://api.cf.example.net")
    ]
    login: Annotated[
        Literal["client", "password", "refresh", "passcode", "token"],
        Option(
            "Login",
            "what the secret is: that of a client, a user's password, a refresh token, a one-time code of the login"
            " page, or a bearer token as it is, such as that of a Kubernetes service account at Korifi",
            "refresh",
        ),
    ] = "refresh"
    client: Annotated[
        str, Option("Client", "the client's id; where users log in, the one that the cf command uses", "changeover")
    ] = ""
    username: Annotated[str, Option("User", "whose password it is", "robot@shop.example")] = ""
    origin: Annotated[
        str, Option("Origin", "the identity provider that knows the user, where there are several", "uaa")
    ] = ""
    uaa: Annotated[
        str,
        Option(
            "Login server",
            "where the secret is sent, if that is not what the API itself says or not beside it",
            "https://login.cf.example.net",
        ),
    ] = ""


class CloudFoundryTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """A deployment's keys in the settings file."""

    organization: Annotated[str, Option("Organization", "the organization's name", "shop")]
    space: Annotated[str, Option("Space", "the space's name", "production")]
    app: Annotated[str, Option("App", "the app's name", "shop-web")]
    maintenance_app: Annotated[
        str, Option("Page app", "the app in the same space that shows visitors the maintenance page", "shop-sorry")
    ] = ""


class ProcessScaleOptions(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `scale` is told, where an app has several kinds of processes."""

    instances: Annotated[
        Annotated[int, Meta(ge=0, le=10_000)], Option("Instances", "how many of the process are to run", "2")
    ]
    process: Annotated[
        str | None, Option("Process", "which kind of process, where it is not the one that serves visitors", "worker")
    ] = None


class RouteOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What is told with a hostname whose route is mapped or unmapped."""

    hostname: Annotated[
        Annotated[str, Meta(pattern=rf"\A{_HOSTNAME}\Z", max_length=253)],
        Option("Hostname", "the hostname that the app is to serve, or no longer", "www.shop.example"),
    ]


def _operation(verb: Verb, does: str, reverse: Verb | None, options: type[Struct] = NoOptions) -> PlatformOperation:
    return PlatformOperation(
        verb=verb,
        does=does,
        reverse=reverse,
        permission="role space_developer in the space, scope cloud_controller.write",
        idempotent=True,
        options=options,
    )


class PLATFORM:
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
            RouteOptions,
        ),
        _operation(
            "detach-domain",
            "The hostname's route leads to the app no longer. The route itself stays in the space",
            "attach-domain",
            RouteOptions,
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
        from changeover.dns.http.api import is_safe_endpoint

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
