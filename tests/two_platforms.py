"""A shop on Heroku with its mirror on Cloud Foundry, both simulated, and what commands need to steer them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keyring_session import KeyringSession
from platforms.cloudfoundry_ground import SECRET, CloudFoundryGround
from platforms.heroku_ground import HerokuGround
from platforms.heroku_simulator import TOKEN
from shop import Shop

ACCOUNTS = """
[accounts.heroku-me]
provider = "heroku"
endpoint = "{heroku}"

[accounts.cf-me]
provider = "cloudfoundry"
endpoint = "{cf}"
login = "client"
client = "changeover"
uaa = "{uaa}"

[[services]]
"""
ON_HEROKU = '\nname = "primary"\nplatform = "heroku"\naccount = "heroku-me"\napp = "shop-prod"\n'
ON_CLOUD_FOUNDRY = """
name = "backup"
platform = "cloudfoundry"
account = "cf-me"
organization = "shop"
space = "production"
app = "shop-web"
maintenance_app = "shop-sorry"
"""


class Moving(Shop):
    """The shop, with both of its platforms."""

    def __init__(self, folder: Path, session: KeyringSession) -> None:
        super().__init__(folder, session=session.environment)
        self.heroku = HerokuGround(folder)
        self.cloud_foundry = CloudFoundryGround()

    def __enter__(self) -> Moving:
        self.heroku.behind.__enter__()
        self.cloud_foundry.__enter__()
        super().__enter__()
        text = self.home.settings_file.read_text()
        places = {
            "heroku": self.heroku.behind.address,
            "cf": self.cloud_foundry.behind.address,
            "uaa": self.cloud_foundry.uaa.address,
        }
        for old, new in (
            ("\n[[services]]\n", ACCOUNTS.format(**places)),
            ('\nname = "primary"\n', ON_HEROKU),
            ('\nname = "backup"\n', ON_CLOUD_FOUNDRY),
        ):
            assert old in text
            text = text.replace(old, new, 1)
        self.home.settings_file.write_text(text)
        self.json("account", "secret", "heroku-me", "--secret-stdin", stdin=TOKEN)
        self.json("account", "secret", "cf-me", "--secret-stdin", stdin=SECRET.reveal())
        self.json("trust", "--yes")
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.cloud_foundry.__exit__(*error)
        self.heroku.behind.__exit__(*error)

    def take_template(self) -> None:
        """Puts the steps that the platforms make possible into the settings, as a person does."""
        printed = self.run("service", "template", "shop")
        assert printed.returncode == 0, printed.stderr
        text = self.home.settings_file.read_text()
        self.home.settings_file.write_text(text.replace("[lookup]", f"{printed.stdout}\n[lookup]"))
        self.json("trust", "--yes")

    def observed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        primary, backup = (one["observed"] for one in self.json("platform", "shop")["deployments"])
        return primary, backup
