"""What runs deployments, and what each of these can be asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from changeover.model.settings.action import Verb

VERBS: tuple[Verb, ...] = get_args(Verb)

#: By platform, the verbs that it takes. "url" is any web address, which nobody here can steer.
PLATFORM_VERBS: Mapping[str, tuple[Verb, ...]] = {"url": ()}
