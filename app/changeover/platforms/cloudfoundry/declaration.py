"""The keys of an account at a Cloud Foundry, and of a deployment there."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from changeover.model.settings.account_fields import Option

#: The client that the cf command is, without a secret, for logins that name no other (docs.cloudfoundry.org/uaa).
PUBLIC_CLIENT = "cf"


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
