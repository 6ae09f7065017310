"""What may act: settings from elsewhere do so only as a person of this computer has approved them.

Every edge where something acts, or where a secret leaves the keyring, asks here first. What Changeover itself changes
in the settings is approved by that.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from changeover.accounts.kinds import KINDS
from changeover.model.errors import AuthError, ChangeoverError, KeyringError, NotApproved
from changeover.model.formatting import counted
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import option_fields
from changeover.model.settings.acting_parts import (
    ActingPart,
    BoundSecret,
    Credential,
    Unapproved,
    account_part,
    account_place,
    acting_parts,
    action_part,
    asked_part,
    bound_of_call,
    bound_of_database,
    bound_of_journeys,
    bound_secrets,
    calls_part,
    calls_place,
    carrying,
    databases_place,
    fingerprint_of,
    journeys_place,
    only,
    sending,
    steering_part,
    steering_place,
    unapproved,
)
from changeover.model.settings.action import Action, HttpCall
from changeover.model.settings.deployment_database import DeploymentDatabase
from changeover.model.settings.placeholders import secrets_of_call
from changeover.model.settings.service import Account, Service, Settings
from changeover.model.settings.service_secrets import DATABASE_HOST, host_of, vault_name
from changeover.storage.approvals import ApprovalRecord, Approvals
from changeover.storage.home import Home, this_person
from changeover.storage.keyring import BoundOtherwise, Vault
from changeover.storage.settings.named_files import NamedFiles

log = logging.getLogger(__name__)

#: A machine without a person gets the fingerprint of what it may do at its start.
GIVEN = "CHANGEOVER_TRUST"
#: Who approved what was in use before approvals were asked for.
FORMER = "taken over from an older Changeover"
SEE = "See what it is, and approve it: changeover trust"


class Trust:
    """What this computer approved of the settings in force, which `settings` gives."""

    def __init__(self, home: Home, settings: Callable[[], Settings], vault: Vault) -> None:
        self._settings = settings
        self._vault = vault
        self._files = files_of(home)
        self._approvals = approvals_of(home)
        #: What was found approved stays so for this process, whose settings do not change with the file.
        self._seen: set[tuple[str, str]] = set()
        self._withdrawn = 0
        self._first = asyncio.Lock()
        self._asked = False
        #: Was everything approved just now, since it was in use before approvals were asked for?
        self.taken_over = False

    # What there is

    async def parts(self) -> tuple[ActingPart, ...]:
        """Every part of the settings that can act, or that decides where a secret goes."""
        return await asyncio.to_thread(self._parts, self._settings())

    def _parts(self, settings: Settings) -> tuple[ActingPart, ...]:
        return acting_parts(settings, credentials_of(settings), self._files)

    async def record(self) -> ApprovalRecord | None:
        """What was approved here so far."""
        return await asyncio.to_thread(self._approvals.read)

    async def unapproved(self, places: Collection[str] | None = None) -> tuple[Unapproved, ...]:
        """What may not act, at `places` or anywhere, with what was approved of it before."""

        def parts() -> tuple[ActingPart, ...]:
            settings = self._settings()
            if places is None:
                return self._parts(settings)
            return tuple(part for part in self._parts(only(settings, places)) if part.place in places)

        return await self._judged(parts)

    async def _judged(self, parts: Callable[[], tuple[ActingPart, ...]]) -> tuple[Unapproved, ...]:
        async with self._first:
            found = await asyncio.to_thread(self._unapproved, parts)
            if found is None:
                await self._take_over()
                found = await asyncio.to_thread(self._unapproved, parts)
        return found or ()

    def _unapproved(self, parts_of: Callable[[], tuple[ActingPart, ...]]) -> tuple[Unapproved, ...] | None:
        """None where it must be found out first whether all of it was in use before approvals were asked for."""
        parts = parts_of()
        if not parts or self._given(self._settings()):
            return ()
        record = self._approvals.read()
        if record is None and not self._asked:
            return None
        record = record or ApprovalRecord(home="")
        if record.withdrawn != self._withdrawn:
            self._seen.clear()
            self._withdrawn = record.withdrawn
        found = unapproved(parts, record.lines)
        new = {one.part.place for one in found}
        self._seen |= {(part.place, part.fingerprint) for part in parts if part.place not in new}
        return tuple(one for one in found if (one.part.place, one.part.fingerprint) not in self._seen)

    def _given(self, settings: Settings) -> bool:
        """Was the fingerprint of all of this given at the start?"""
        given = os.environ.get(GIVEN, "").strip().lower()
        return bool(given) and given == fingerprint_of(self._parts(settings))

    async def permit(self, *places: str) -> None:
        """Raises NotApproved where what stands at one of `places` may not act."""
        found = await self.unapproved(places)
        if found:
            raise not_approved(found)

    async def permit_calls(self, service: Service) -> None:
        """Raises NotApproved where calls may not go where they would: also for a run whose action is gone by now."""
        lookup = self._settings().lookup
        await self._permit(lambda: (calls_part(service, lookup, self._files),))

    async def permit_steering(self, service: Service, action: Action) -> None:
        """The same for what is asked of platforms, but for what a person asked for by itself."""
        if not await asyncio.to_thread(self._was_asked, service, action):
            await self._permit(lambda: (steering_part(service),))

    async def ask(self, service: Service, action: Action) -> None:
        """Approves one operation that a person asks of a platform, as the run that does it begins with it.

        Raises NotApproved where the settings say since lately where it would go, and nobody has looked at that.
        """
        await self.permit(steering_place(service.name))
        part = asked_part(service, action, self._files)
        await asyncio.to_thread(self._approvals.approve_once, part)

    def _was_asked(self, service: Service, action: Action) -> bool:
        record = self._approvals.read()
        return record is not None and asked_part(service, action, self._files).fingerprint in record.former

    async def permit_action(self, service: Service, action: Action) -> None:
        """Raises NotApproved where a run would do what was never approved here.

        Its journal may have come from elsewhere, and a file that a command names may have changed since it began.
        """
        await asyncio.to_thread(self._permit_action, service, action)

    def _permit_action(self, service: Service, action: Action) -> None:
        part = action_part(service, action, self._files)
        record = self._approvals.read() or ApprovalRecord(home="")
        approved = record.lines.get(part.place)
        if part.lines == approved or part.fingerprint in record.former or self._was_asked(service, action):
            return
        settings = self._settings()
        if self._given(settings) and part in self._parts(settings):
            return
        raise not_approved((Unapproved(part=part, was=approved),))

    async def _permit(self, parts: Callable[[], tuple[ActingPart, ...]]) -> None:
        found = await self._judged(parts)
        if found:
            raise not_approved(found)

    # Secrets

    async def account_secrets(self, account: Account) -> dict[str, Secret | None]:
        """By field, the secrets of an account; None for what is not in the keyring.

        Raises NotApproved where they are there and may not be sent, AuthError where they were added for somewhere else.
        """
        where = credential_of(account)
        bound = await asyncio.to_thread(bound_of_account, account, self._files)
        place = account_place(account.name)
        return {field: await self._kept(place, account.name, field, where.host, bound) for field in where.fields}

    async def journey_secrets(self, service: Service) -> dict[str, Secret]:
        """By name, what the service's journeys carry, as far as it is in the keyring. Raises as `account_secrets`."""
        bound = await asyncio.to_thread(bound_of_journeys, service, self._files)
        return await self._of(service, carrying(service), journeys_place(service.name), service.hostnames[0], bound)

    async def call_secrets(self, service: Service, call: HttpCall) -> dict[str, Secret]:
        """The same for an action's call. Also raised where it carries none, and may not go where it would."""
        await self.permit_calls(service)
        bound = await asyncio.to_thread(bound_of_call, service, call, self._files)
        place = calls_place(service.name)
        return await self._of(service, secrets_of_call(call), place, host_of(call), bound)

    async def database_secret(self, service: Service, database: DeploymentDatabase) -> Secret | None:
        """The connection string of a database, where it is in the keyring. Raises as `account_secrets`."""
        place, bound = databases_place(service.name), bound_of_database(database)
        return (await self._of(service, (database.secret,), place, DATABASE_HOST, bound)).get(database.secret)

    async def _of(self, service: Service, names: Iterable[str], place: str, host: str, bound: str) -> dict[str, Secret]:
        owner = vault_name(service.name)
        found = {}
        for name in sorted(names):
            try:
                secret = await self._kept(place, owner, name, host, bound)
            except AuthError:
                text = f"the secret {name} was not added for {host} as the settings have it now"
                again = f"changeover service secret {service.name} {name} --secret-stdin"
                raise AuthError(f"{text}; add it again: {again}") from None
            if secret is not None:
                found[name] = secret
        return found

    async def _kept(self, place: str, owner: str, field: str, host: str, bound: str) -> Secret | None:
        """A secret that may be sent. What is not there, or was added for another host, is told first."""
        try:
            secret = await self._vault.get(owner, field, host, bound)
        except BoundOtherwise:
            await self.permit(place)
            raise
        if secret is not None:
            await self.permit(place)
        return secret

    # What people say

    async def approve(self, parts: Collection[ActingPart]) -> None:
        """Approves `parts` as they were shown. Secrets that they send elsewhere at the same host go along with them.

        Raises ChangeoverError where this cannot be kept.
        """
        await asyncio.to_thread(self._approvals.approve, parts, this_person(), datetime.now(UTC))
        log.info("approved: %s", ", ".join(part.place for part in parts))
        await self.bind({part.owner for part in parts})

    async def put_service_secret(self, service: Service, field: str, host: str, secret: Secret) -> None:
        """Keeps a secret of a service, and approves where it goes by that, as far as nothing was ever approved there.

        Raises NotApproved where it would go elsewhere than was approved.
        """
        open_ = await self.unapproved(sending(service, field))
        changed = [one for one in open_ if one.was is not None]
        if changed:
            raise not_approved(changed)
        owner = vault_name(service.name)
        bound = [one.bound for one in await self._bound() if (one.owner, one.field) == (owner, field)]
        await self._vault.put(owner, field, host, secret, bound)
        if open_:
            await self.approve([one.part for one in open_])

    async def withdraw(self) -> int:
        """Takes back all that was approved; gives how many parts that were."""
        return await asyncio.to_thread(self._approvals.withdraw)

    async def bind(self, owners: Collection[str]) -> None:
        """Binds the secrets of `owners` to where the approved parts of the settings send them now.

        One that the keyring does not give stays bound to where it was added for, and is refused elsewhere.
        """
        every = await self._bound()
        closed = {one.part.place for one in await self.unapproved()}
        ways: dict[tuple[str, str, str], list[str]] = {}
        for secret in every:
            if secret.owner in owners and secret.place not in closed:
                ways.setdefault((secret.owner, secret.field, secret.host), []).append(secret.bound)
        for (owner, field, host), bounds in ways.items():
            try:
                await self._vault.bind(owner, field, host, bounds)
            except KeyringError as error:
                log.warning("the secret %s of %s was not bound anew: %s", field, owner, error.text)

    async def _bound(self) -> tuple[BoundSecret, ...]:
        settings = self._settings()
        return await asyncio.to_thread(bound_secrets, settings, credentials_of(settings), self._files)

    async def _take_over(self) -> None:
        """Approves everything once, where a secret in the keyring shows that it was in use by an older version."""
        self._asked = True
        every = await self._bound()
        try:
            former = [one for one in every if await self._vault.is_former(one.owner, one.field, one.host)]
            parts = await self.parts() if former else ()
            await asyncio.to_thread(self._approvals.approve, parts, FORMER, datetime.now(UTC))
            for one in former:
                ways = [other.bound for other in every if (other.owner, other.field) == (one.owner, one.field)]
                await self._vault.bind(one.owner, one.field, one.host, ways)
            self.taken_over = bool(former)
            log.warning("%s approved, since they were in use before", counted(len(parts), "part"))
        except ChangeoverError as error:
            log.warning("it cannot be found out what was in use before: %s", error.text)


def not_approved(found: Sequence[Unapproved]) -> NotApproved:
    """Why these may not act, and what to do."""
    words = "; ".join(one.words for one in found)
    return NotApproved(f"The settings changed outside Changeover: {words}, and may not act until it is approved", SEE)


def own_edit(home: Home, before: Settings, after: Settings, given: Collection[str] = ()) -> frozenset[str]:
    """Approves what Changeover itself made of the settings: the places `given`, and each part that it added, or changed
    from one that was approved. What somebody else changed in the same file stays as it is. Gives whose secrets these
    parts send.

    Raises ChangeoverError where this cannot be kept.
    """
    files, approvals = files_of(home), approvals_of(home)
    old = {part.place: part for part in acting_parts(before, credentials_of(before), files)}
    new = {part.place: part for part in acting_parts(after, credentials_of(after), files)}
    record = approvals.read() or ApprovalRecord(home="")
    closed = {one.part.place for one in unapproved(tuple(old.values()), record.lines)}
    mine = [part for place, part in new.items() if place in given or (part != old.get(place) and place not in closed)]
    gone = [place for place in old if place not in new]
    if mine:
        approvals.approve(mine, this_person(), datetime.now(UTC))
    if gone:
        approvals.forget(gone)
    return frozenset(part.owner for part in mine)


def credentials_of(settings: Settings) -> dict[str, Credential]:
    """The accounts that have secrets, by name."""
    found = {account.name: credential_of(account) for account in settings.accounts}
    return {name: credential for name, credential in found.items() if credential.fields}


def credential_of(account: Account) -> Credential:
    """What of an account decides where its secrets go; no fields where it has none."""
    kind = KINDS.of(account.provider)
    options = msgspec.convert(account.options, kind.options)
    usual = {field.name: field.default for field in option_fields(kind.options) if not field.required}
    return Credential(
        provider=account.provider,
        options={k: v for k, v in account.options.items() if k not in usual or v != msgspec.to_builtins(usual[k])},
        fields=tuple(field.name for field in kind.secrets(options)),
        host=kind.host(options),
    )


def bound_of_account(account: Account, files: NamedFiles) -> str:
    """What an account's secrets are bound to besides their host."""
    return account_part(account.name, credential_of(account), files).fingerprint


def files_of(home: Home) -> NamedFiles:
    """The files that the settings of this home name."""
    return NamedFiles(home.settings_file.resolve().parent)


def approvals_of(home: Home) -> Approvals:
    """What was approved for this home."""
    return Approvals(home.approvals_file, home.config)
