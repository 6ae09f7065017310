"""The keys of an account at Heroku, of a deployment there, and of what only Heroku can be asked."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from changeover.model.settings.account_fields import Option

#: Heroku Postgres has an API of its own; of any other endpoint both are expected.
API_HOST, DATA_HOST = "api.heroku.com", "api.data.heroku.com"
_NAME = r"[a-z][a-z0-9-]{1,29}"


class HerokuOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, Option("Endpoint", "another address of the API", "https://api.heroku.com")] = (
        f"https://{API_HOST}"
    )


class HerokuTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """A deployment's keys in the settings file."""

    app: Annotated[str, Option("App", "the app's name", "shop-prod", _NAME)]
    process: Annotated[str, Option("Process", "the kind of process that serves visitors", "web", r"[A-Za-z0-9_-]+")] = (
        "web"
    )


class ReleaseOptions(Struct, frozen=True, forbid_unknown_fields=True):
    release: Annotated[
        Annotated[str, Meta(pattern=r"^v[0-9]{1,9}$")], Option("Release", "the one to go back to", "v41")
    ]


class DatabaseOptions(Struct, frozen=True, forbid_unknown_fields=True):
    database: Annotated[str, Option("Database", "the follower's add-on", "postgresql-curly-12345")]
