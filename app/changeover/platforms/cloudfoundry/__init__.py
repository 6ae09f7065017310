"""Cloud Foundry, by its API of version 3: what an account there is, its login, its answers, and what is done there."""

from changeover.platforms.cloudfoundry.declaration import PLATFORM

__all__ = ["PLATFORM"]
