"""Further providers through dns-lexicon (dns-lexicon.readthedocs.io), one record at a time: the last resort.

dns-lexicon reaches about ninety providers by create, list, update and delete of single records, and knows neither
batches nor compare-and-set. The names are read again right before the first write and after every single one: what
dns-lexicon reports as done counts only once it is seen. It is known to report success where there was none: an update
that finds nothing, a record that exists already with another TTL, a refusal whose answer it does not look at. A write
that is said to be made and is not seen within some seconds ends as "nobody knows", with what was done before. So does
one after which something else in the zone is gone, and one that ends in an error that is no clear refusal.

How each change is made. Addresses are created before the old ones are deleted, so that there is always an answer; for a
moment both are given. A CNAME, of which there can be one, is updated by its id, which some of its providers do by
deleting and creating; where one gives way to addresses, or the other way round, the name is empty until it is seen that
what goes is gone, and what comes is made: a few seconds. Ids are looked up right before they are used, since many of
them are made of the content. Host names are written as the zone's others are listed, with a final dot or without, and
where that is refused, in the other way. Some of its providers cannot write at the apex at all, which they refuse.

What is not touched:
- A TTL, where a record set stays. `create` ignores the TTL of what exists, and where a provider keeps a whole set, the
  set's own TTL wins; so a set keeps the TTL that it has, and it must be lowered at the provider. A new set gets the
  service's, but no less than `minimum_ttl`: many registrars take no less than 600 seconds, and tell nobody that they
  made it more. Where no TTL is listed, each counts as `minimum_ttl`.
- HTTPS, SVCB and ALIAS records. Many of dns-lexicon's providers do not list them; others cannot write them back as they
  were (its Cloudflare provider keeps one parameter of an HTTPS record). Where one is listed, the switch is refused.
  Where one is not, the finding `records-agree` sees it, which asks the name servers.

What it cannot see: flags that a provider keeps beside a record (proxied, weights, regions, comments). They are not
restored by an undo. Texts are kept by reading before writing, so this is no ground for leases. It cannot list zones,
nor tell what a credential may do. There is no CNAME at an apex. Some of its providers list the first page of a zone
only, and do not say so: a name without records is not believed where exactly as many are listed as a page has.

Providers that Changeover has itself are refused here: those ways compare, restore and batch what this one cannot. So
are those whose records dns-lexicon writes by the zone, by the type or by the name (GoDaddy and Namecheap among them):
what others change meanwhile would be lost, and more. There is no way to these yet.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar

from msgspec import Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Lost, Unreadable
from changeover.dns.http.endpoint import is_safe_endpoint
from changeover.dns.http.provider import Reason, Replacement
from changeover.dns.http.record_by_record import Record, RecordByRecord, record_sets, records_of
from changeover.dns.provider import Access, Provider, RecordsRead
from changeover.dns.providers.lexicon.bridge import Bridge, declared, installed
from changeover.dns.providers.lexicon.lexicon_records import (
    MOST_TTL,
    Notation,
    is_type,
    notation_of,
    understood,
    written,
)
from changeover.dns.providers.lexicon.unfit import UNFIT
from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.records import ADDRESS_TYPES, AddressSet, RecordSet, address_set, values_text
from changeover.model.errors import NotFound, ProviderError, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField, misfits

#: Seconds for one call, which is several requests: to authenticate, and to list a zone page by page.
TIMEOUT = 30.0
#: Seconds before each look at what became of a write. Some providers list a change a moment later.
LOOKS = (0.0, 1.0, 2.0)
#: As many records as a listing has that ends with its first page. Smaller pages are left out: so many records have too
#: many zones. That the name servers do give records for such a name, the finding `records-agree` sees.
PAGES = (50, 100, 200, 250, 300, 500, 1000)
#: So many records that are gone are told one by one.
MOST_TOLD = 10
_WRITABLE = ("A", "AAAA", "CNAME")

#: What dns-lexicon calls a provider that Changeover has itself, by another name.
OWN = {"ddns": "rfc2136", "googleclouddns": "google", "linode4": "linode", "nsone": "ns1"}
_SECRET_WORDS = ("auth", "key", "secret", "token", "password")

_HELP = (
    'A JSON object with the options of that provider that are secrets, as dns-lexicon names them, such as {"auth_key":'
    ' "…", "auth_secret": "…"}'
)


class LexiconOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file. `via`, since `provider` is Changeover's own."""

    via: Annotated[
        str,
        Option(
            "Provider at dns-lexicon",
            "the provider's name at dns-lexicon (dns-lexicon.readthedocs.io has the list)",
            "porkbun",
            r"[a-z][a-z0-9]*",
        ),
    ]
    more: Annotated[
        tuple[str, ...],
        Option(
            "More options", "further options of that provider, each as KEY=VALUE", "plesk_server=https://host.example"
        ),
    ] = ()
    minimum_ttl: Annotated[
        int, Option("Least TTL", "the least TTL in seconds that the provider takes for new records", "600")
    ] = 600

    @property
    def pairs(self) -> dict[str, str]:
        return {key.strip(): value for key, _, value in (text.partition("=") for text in self.more)}


class Lexicon(RecordByRecord[LexiconOptions]):
    """One account's zones, through dns-lexicon. Implements changeover.dns.provider.Provider."""

    hints: ClassVar[Hints] = Hints(credential="", permission="", missing="", refused="")  # the bridge has its own

    def __init__(
        self, account: str, options: LexiconOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        self._bridge = Bridge(account, options.via, options.pairs, secrets["auth"], timeout)
        self.capabilities = Capabilities(
            label=self._bridge.label,
            batch=None,
            native_compare_and_set=False,
            propagates_atomically=False,
            least_ttl=options.minimum_ttl,
            lag=Lag(60.0, "dns-lexicon's list_records"),
        )
        self._notation: dict[str, Notation] = {}
        # All that a zone had when it was last listed, as (name, type, value).
        self._listed: dict[str, list[tuple[str, str, str]]] = {}

    async def read(self, zone: str, names: Sequence[str]) -> RecordsRead:
        reading = await super().read(zone, names)
        count, missing = len(self._listed[zone]), [name for name in names if not reading.records[name]]
        if missing and count in PAGES:
            raise Rejected(
                f"{self._bridge.label} lists exactly {count} records, and none at {missing[0]}: it may have listed the"
                " first ones only",
                f"Where {zone} has exactly so many, add any record at the provider, and try again.",
            )
        return reading

    async def _records(self, zone: str, names: Sequence[str]) -> tuple[Iterable[tuple[str, Record]], bool]:
        """The whole zone: the filter by name fails at the apex, or elsewhere, with many of dns-lexicon's providers."""
        listed = await self._bridge.call(zone, lambda provider: provider.list_records())
        try:
            found = [understood(zone, one, self._options.minimum_ttl) for one in listed]
            notation = notation_of(listed)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise Unreadable(f"What {self._bridge.label} lists could not be understood") from None
        self._notation[zone] = notation
        self._listed[zone] = [(record.name, record.type, record.value) for _, record in found]
        return found, True

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        for one in replacements:
            stays = {r.value: r.ttl for r in records_of(one.before)} if one.before is not None else {}
            if one.after is not None and any(stays.get(r.value, r.ttl) != r.ttl for r in records_of(one.after)):
                raise Rejected(
                    f"dns-lexicon does not change the TTL of what stays at {one.name}",
                    "Change the TTL at the provider, and try again.",
                )
        await super()._write(zone, replacements)
        for one in replacements:
            self._check(zone, one)

    def _check(self, zone: str, made: Replacement) -> None:
        """Is the whole set what it was to be, when all is done? Its values were seen one by one, its TTLs were not."""
        there = record_sets(record for _, record in self._pairs(zone, made.name, made.type))
        if there == ((made.after,) if made.after is not None else ()):
            return
        ttls = sorted({record.ttl for record in there})
        raise Lost(
            f"All is done, but {made.type} at {made.name} is {values_text(there)} with a TTL of"
            f" {' and '.join(map(str, ttls)) or 'nothing'}. Where that is the least TTL that the provider takes, set it"
            f" as minimum_ttl in account {self.account}"
        )

    async def _create(self, zone: str, record: Record) -> None:
        await self._put(
            zone,
            record,
            lambda provider, content: provider.create_record(record.type, record.name, content),
            lambda values: record.value in values,
        )

    async def _replace(self, zone: str, record_id: str, before: Record, after: Record) -> None:
        if before.type == "CNAME":
            there = self._id(zone, before)
            await self._put(
                zone,
                after,
                lambda provider, content: provider.update_record(there, after.type, after.name, content),
                lambda values: after.value in values and before.value not in values,
            )
            return
        await self._create(zone, after)
        try:
            await self._delete(zone, record_id, before)
        except ProviderError as error:
            raise Lost(f"{after} is created, but {before} is not deleted, since {error.text}", error.hint) from None

    async def _delete(self, zone: str, record_id: str, record: Record) -> None:
        there, (content, *_) = self._id(zone, record), written(record, self._notation[zone])
        if [i for i, _ in self._pairs(zone, record.name, record.type)].count(there) > 1:
            there = ""  # it is the id of the whole set, which would go with it
        place = {"identifier": there} if there else {"rtype": record.type, "name": record.name, "content": content}
        await self._carry_out(
            zone,
            record,
            lambda provider: provider.delete_record(**place),
            lambda values: record.value not in values,
        )

    async def _put(
        self, zone: str, record: Record, act: Callable[[Any, str], object], made: Callable[[set[str]], bool]
    ) -> None:
        """Writes a value, in the other notation where the first is refused, and so nothing was changed."""
        *others, last = written(record, self._notation[zone])
        for content in others:
            with contextlib.suppress(Rejected):
                await self._carry_out(zone, record, partial(_with, act, content), made)
                return
        await self._carry_out(zone, record, partial(_with, act, last), made)

    async def _carry_out(
        self, zone: str, record: Record, act: Callable[[Any], object], made: Callable[[set[str]], bool]
    ) -> None:
        """One write, and a look at what became of it, whatever dns-lexicon says.

        Raises Lost where it may have been made, or has done something else; another error where nothing was changed.
        """
        before, others = self._values(zone, record), self._others(zone, record)
        try:
            if await self._bridge.call(zone, act, ttl=record.ttl, writes=True) is False:
                raise Rejected(f"{self._bridge.label} refuses that {record} is written, and does not say why")
        except Lost:
            raise
        except ProviderError as error:
            if await self._look(zone, record) != before or others - self._others(zone, record):
                raise Lost(f"{error.text}; but something was changed", error.hint) from None
            raise
        for wait in LOOKS:
            await asyncio.sleep(wait)
            values = await self._look(zone, record)
            gone = others - self._others(zone, record)
            if made(values) and not gone:
                return
        if gone:
            told = [f"{rtype} {value} at {name}" for name, rtype, value in sorted(gone)]
            more = f", and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
            raise Lost(
                f"{record} was being written, and of {zone} others are gone: {', '.join(told[:MOST_TOLD])}{more}."
                " Put back at the provider what nobody else took away"
            )
        there = ", ".join(sorted(values)) or "nothing"
        raise Lost(f"{self._bridge.label} says that it is done, but {record.type} at {record.name} is {there}")

    async def _look(self, zone: str, record: Record) -> set[str]:
        try:
            await self._retried(lambda: self._read(zone, [record.name]))
        except ProviderError as error:
            raise Lost(f"What became of it could not be read: {error.text}", error.hint) from None
        return self._values(zone, record)

    def _pairs(self, zone: str, name: str, rtype: str) -> list[tuple[str, Record]]:
        return [pair for pair in self._seen[zone, name] if pair[1].type == rtype]

    def _values(self, zone: str, record: Record) -> set[str]:
        return {other.value for _, other in self._pairs(zone, record.name, record.type)}

    def _others(self, zone: str, record: Record) -> set[tuple[str, str, str]]:
        """What else the zone had when it was last listed. A SOA changes with every write."""
        its_own = {(record.name, record.type)}
        return {one for one in self._listed[zone] if one[:2] not in its_own and one[1] != "SOA"}

    def _id(self, zone: str, record: Record) -> str:
        """The id that the record has now: it may be made of what stands beside it."""
        ids = [i for i, other in self._pairs(zone, record.name, record.type) if other.value == record.value]
        if not ids:
            raise NotFound(f"{record} is not there any more")
        return ids[0]

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """What stays keeps its TTL, and so does its set; a new set has at least `minimum_ttl`."""
        return address_set(one for record in after for one in self._published(zone, before, record))

    def _published(self, zone: str, before: AddressSet, record: RecordSet) -> tuple[RecordSet, ...]:
        shows_ttl = self._notation.get(zone, Notation()).shows_ttl
        least = self._options.minimum_ttl
        ttl = next((r.ttl for r in before if r.type == record.type), max(record.ttl, least) if shows_ttl else least)
        stays = {one.value: one for r in before if r.type == record.type for one in records_of(r)}
        new = {v: Record(name=record.name, type=record.type, ttl=ttl, value=v) for v in record.values}
        return record_sets((new | stays)[value] for value in record.values)

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        for one in records:
            if one.type in ADDRESS_TYPES and one.type not in _WRITABLE:
                return f"it has a record of the type {one.type}, which dns-lexicon cannot put back exactly"
            if not is_type(one.type):
                return f"it has a record of the type {one.type}, which is the provider's own"
        return None

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        """Reads the records. What the credential may write, dns-lexicon cannot tell."""
        await self.read(zone, names or [zone])
        return Access(zones=(zone,), may_write=None)

    async def zones(self) -> None:  # type: ignore[override]
        return None

    def _connect(self) -> Api:
        raise AssertionError("dns-lexicon makes its own requests")

    def _reason(self, answer: ApiAnswer) -> Reason:
        raise AssertionError("dns-lexicon reads its own answers")


def _with(act: Callable[[Any, str], object], content: str, provider: Any) -> object:
    return act(provider, content)


class _Type:
    """Implements changeover.dns.provider.ProviderType."""

    label = "Another provider, through dns-lexicon"
    tested = (
        "dns-lexicon 3.25, one of its providers on a simulator; each provider is as good as dns-lexicon's way to it"
    )
    options = LexiconOptions
    needs = (
        SecretField(
            name="auth",
            label="Credential",
            help=_HELP,
            link="https://dns-lexicon.readthedocs.io/en/latest/configuration_reference.html",
            permission="the right to change DNS records, of this zone only where the provider can confine it",
            pattern=r"(?s)\{.*\}",
            example='{"auth_key": "…", "auth_secret": "…"}',
        ),
    )
    provider = Lexicon

    @classmethod
    def secrets(cls, options: LexiconOptions) -> tuple[SecretField, ...]:
        return cls.needs

    @classmethod
    def faults(cls, options: LexiconOptions) -> list[tuple[str, str]]:
        from changeover.dns.providers import PROVIDERS

        found = misfits(options)
        if not 1 <= options.minimum_ttl <= MOST_TTL:
            found.append(("minimum_ttl", "the least TTL in seconds that the provider takes, such as 600"))
        if any("=" not in text for text in options.more):
            found.append(("more", 'a list of texts such as ["plesk_server=https://host.example"]'))
        if any(value.startswith("http") and not is_safe_endpoint(value) for value in options.pairs.values()):
            found.append(("more", "with https addresses only: the credential is sent there"))
        if any(word in key for key in options.pairs for word in _SECRET_WORDS):
            found.append(("more", "without what may be a secret; that belongs into the JSON object of the credential"))
        own, known = OWN.get(options.via, options.via), installed()
        if options.via in UNFIT:
            found.append(("via", UNFIT[options.via]))
        elif own in PROVIDERS:
            found.append(("via", f'another provider; for this one write provider = "{own}", which does it better'))
        elif known is not None and options.via and options.via not in known:
            others = ", ".join(name for name in known if OWN.get(name, name) not in PROVIDERS and name not in UNFIT)
            found.append(("via", f"one of those that dns-lexicon has: {others}"))
        elif known is not None and (
            surplus := sorted(set(options.pairs) - set(declared(options.via) or options.pairs))
        ):
            found.append(("more", f"an option that {options.via} has, not {', '.join(surplus)}"))
        return found

    @classmethod
    def host(cls, options: LexiconOptions) -> str:
        """dns-lexicon knows the host; another provider, or other options, may mean another one."""
        return " ".join([f"{options.via} at dns-lexicon", *sorted(options.more)])

    @classmethod
    def open(cls, account: str, options: LexiconOptions, secrets: Mapping[str, Secret]) -> Provider:
        return cls.provider(account, options, secrets)


PROVIDER = _Type
