"""Heroku as settings, forms and commands know it: its secret, and what can be asked of it.

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
from changeover.platforms.heroku.declaration import (
    API_HOST,
    DatabaseOptions,
    HerokuOptions,
    HerokuTarget,
    ReleaseOptions,
)

if TYPE_CHECKING:
    from changeover.platforms.heroku.heroku import Heroku


def _operation(verb: Verb, reverse: Verb | None, does: str, options: type[Struct] = NoOptions) -> PlatformOperation:
    return PlatformOperation(
        verb=verb,
        does=does,
        reverse=reverse,
        permission="scope write-protected",
        idempotent=verb not in ("promote", "restart"),
        options=options,
    )


class HerokuKind:
    """What Heroku declares."""

    label = "Heroku"
    tested = "a simulator, held to Heroku's published schema and to its own command line tool (version 11)"
    options = HerokuOptions
    target = HerokuTarget
    operations = (
        _operation("maintenance-on", "maintenance-off", "Visitors get Heroku's maintenance page, with status 503"),
        _operation("maintenance-off", "maintenance-on", "Visitors get the app again"),
        _operation(
            "scale", "scale", "As many dynos of a kind run as are asked for; they take a while", ProcessScaleOptions
        ),
        _operation("restart", None, "Every dyno is stopped and started anew; requests under way may be lost"),
        _operation(
            "attach-domain", "detach-domain", "The app answers to the hostname, and gets a DNS target", HostnameOptions
        ),
        _operation(
            "detach-domain",
            "attach-domain",
            "The app no longer answers to the hostname; attached again, it gets another DNS target",
            HostnameOptions,
        ),
        _operation("enable-certificates", "disable-certificates", "Heroku makes and renews the certificates (ACM)"),
        _operation(
            "disable-certificates",
            "enable-certificates",
            "Heroku makes none any more; hostnames without an uploaded one fail in browsers",
        ),
        _operation(
            "rollback",
            "rollback",
            "What an earlier release ran is released anew, with that release's config variables and add-ons of now",
            ReleaseOptions,
        ),
        _operation(
            "promote",
            None,
            "A follower no longer follows and becomes the app's database; what it lacks is lost",
            DatabaseOptions,
        ),
    )

    @staticmethod
    def secrets(options: HerokuOptions) -> tuple[SecretField, ...]:
        return (
            SecretField(
                name="token",
                label="API key",
                help="an API key or OAuth token of somebody who may see the apps",
                link="https://dashboard.heroku.com/account/applications",
                permission="scopes read and read-protected to look; write-protected as well to steer",
                pattern=r"[A-Za-z0-9_-]{20,200}",
                example="HRKU-01234567-89ab-cdef-0123-456789abcdef",
            ),
        )

    @staticmethod
    def faults(options: HerokuOptions) -> list[tuple[str, str]]:
        from changeover.dns.http.endpoint import is_safe_endpoint

        found = misfits(options)
        if not is_safe_endpoint(options.endpoint):
            found.append(("endpoint", f'an https address such as "https://{API_HOST}"'))
        return found

    @staticmethod
    def host(options: HerokuOptions) -> str:
        return urlsplit(options.endpoint).hostname or ""

    @staticmethod
    def open(account: str, options: HerokuOptions, secrets: Mapping[str, Secret]) -> Heroku:
        from changeover.platforms.heroku.heroku import Heroku  # its HTTP client takes long to import

        return Heroku(account, options.endpoint, secrets["token"])
