"""Is a zone signed as the zone above says it is (RFC 4035, 5)?"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from changeover.model.finding import Finding, Level
from changeover.model.formatting import counted


class Signing(Struct, frozen=True, kw_only=True):
    """A zone that the zone above calls signed, by its DS records, and what the zone's own name servers do.

    `unsigned` give no signatures, `other_key` sign, but with no key that a DS record vouches for. `signed` are right.
    """

    zone: str
    signed: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()
    other_key: tuple[str, ...] = ()


def signing_findings(found: Iterable[Signing]) -> list[Finding]:
    """One finding for each zone, of the check `dnssec`. A zone whose name servers are silent has none."""
    return [_finding(signing) for signing in found if signing.signed or signing.unsigned or signing.other_key]


def _finding(signing: Signing) -> Finding:
    wrong = []
    if signing.unsigned:
        wrong.append(f"{_listed(signing.unsigned)} no signatures")
    if signing.other_key:
        wrong.append(f"{_listed(signing.other_key)} signatures by a key that the zone above does not know")
    if wrong:
        return Finding(
            check="dnssec",
            level=Level.WARN,
            text=f"{signing.zone} is signed, but {'; '.join(wrong)}: whose resolver validates gets no answer there",
            fix="Sign the zone there with a key that has a DS record in the zone above. A DS record that is taken away"
            " counts for as long as it is cached.",
        )
    servers = counted(len(signing.signed), "name server")
    text = f"{signing.zone} is signed, with a key that the zone above knows ({servers} asked)"
    return Finding(check="dnssec", level=Level.PASS, text=text)


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names)} {'gives' if len(names) == 1 else 'give'}"
