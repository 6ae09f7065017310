"""What a person asks of the platform of a deployment, checked before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from changeover.accounts.kinds import KINDS
from changeover.model.errors import UsageError
from changeover.model.settings.account_fields import option_fields
from changeover.model.settings.platform import PlatformOperation, operation_of
from changeover.model.settings.service import Deployment
from changeover.storage.settings.reader import Faults, read_struct


class WrongOptions(UsageError):
    """Options that an operation does not take. `faults` has by name what is wrong with each."""

    def __init__(self, verb: str, deployment: str, faults: Mapping[str, str]) -> None:
        told = "; ".join(f"{key}: {text}" if key else text for key, text in faults.items())
        super().__init__(f"{verb} at {deployment} cannot be asked: {told}", "Nothing was done.")
        self.faults = dict(faults)


def known_operation(deployment: Deployment, verb: str) -> PlatformOperation:
    """The operation of that name at the deployment. Raises UsageError with those that there are."""
    kind = KINDS.platform(deployment.platform)
    if kind is None:
        text = f'{deployment.name} runs on "{deployment.platform}", which nobody can steer'
        raise UsageError(text, "Name its platform in the settings.")
    operation = operation_of(kind, verb)
    if operation is None:
        text = f"{deployment.name} runs on {kind.label}, which takes no {verb}"
        raise UsageError(text, f"It takes: {', '.join(one.verb for one in kind.operations)}")
    return operation


def checked_options(deployment: Deployment, operation: PlatformOperation, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as a run's journal keeps them. Raises WrongOptions with every fault."""
    faults = Faults()
    read_struct(dict(options), operation.options, "", faults)
    fields = {field.name: field for field in option_fields(operation.options)}
    found: dict[str, str] = {}
    for key, text in faults.pairs:
        missing = key in fields and key not in options
        found.setdefault(key, f"it is missing ({fields[key].option.help})" if missing else text)
    if found:
        raise WrongOptions(operation.verb, deployment.name, found)
    return {key: msgspec.to_builtins(value) for key, value in options.items()}
