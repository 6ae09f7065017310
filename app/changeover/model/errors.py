"""What can go wrong, as errors that can be shown: what happened, and what to do.

ChangeoverError
├── UsageError            the command's words, or a name that does not exist
├── SettingsError         the settings file; carries every fault at once
├── KeyringError          no usable keyring, or it does not answer
├── Refused               nothing was changed, on purpose; carries the findings
│   └── NotApproved           a part of the settings that this computer has not approved would act
└── ProviderError         what a DNS provider or platform said; nothing was changed unless said otherwise
    ├── AuthError             the credential is wrong, missing or expired
    ├── PermissionDenied      the credential is right, but may not do this
    ├── NotFound              no such zone, record or app
    ├── Conflict              the world is not as expected
    ├── RateLimited           too many requests; carries retry_after in seconds
    ├── Unavailable           no answer, or an answer that says "later"
    └── Rejected              the provider refuses this request; carries its own words
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from changeover.model.foreign_text import one_line

if TYPE_CHECKING:
    from changeover.model.finding import Finding


class ChangeoverError(Exception):
    """Every error that a person may see. `text` says who and what, `hint` what to do."""

    kind: ClassVar[str] = "error"

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class UsageError(ChangeoverError):
    kind = "usage"


class SettingsError(ChangeoverError):
    """A settings file that cannot be used. `faults` has one sentence for each fault, all of them at once.

    `edited`: the file is in order, and an edit would put the faults into it.
    """

    kind = "settings"

    def __init__(self, file: str, faults: Sequence[str], *, edited: bool = False) -> None:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(
            "\n".join([f"{file}: {count}", *(f"  {one_line(fault)}" for fault in faults)]),
            "The file would have that, so nothing was written. Say it otherwise and try again."
            if edited
            else "Mend the file and try again; nothing was loaded and nothing was changed.",
        )
        self.faults = tuple(faults)


class KeyringError(ChangeoverError):
    kind = "keyring"


class Refused(ChangeoverError):
    """Refused before any write. `findings` has what blocks; empty where no check is behind it."""

    kind = "refused"

    def __init__(self, text: str, hint: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(text, hint)
        self.findings = tuple(findings)


class NotApproved(Refused):
    kind = "not-approved"


class ProviderError(ChangeoverError):
    kind = "provider"


class AuthError(ProviderError):
    kind = "auth"


class PermissionDenied(ProviderError):
    kind = "permission"


class NotFound(ProviderError):
    kind = "not-found"


class Conflict(ProviderError):
    kind = "conflict"


class RateLimited(ProviderError):
    kind = "rate-limited"

    def __init__(self, text: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(text, hint)
        self.retry_after = retry_after


class Unavailable(ProviderError):
    kind = "unavailable"


class Rejected(ProviderError):
    kind = "rejected"
