"""Which of dns-lexicon's providers are refused, and why: what they do with a zone beside the one record.

As read in dns-lexicon 3.25 (github.com/dns-lexicon/dns-lexicon, src/lexicon/_private/providers). The others write by
a record's id, or a record set of one name and type. After each write it is looked whether the rest of the zone stands.
"""

from __future__ import annotations

from collections.abc import Mapping

_WHOLE_ZONE = (
    "another provider: with each change, dns-lexicon writes the whole zone there, over what others change meanwhile"
)
_WHOLE_NAME = "another provider: to delete one value, dns-lexicon deletes all that a name has of that type there"
_ONE_NAME = "another provider: dns-lexicon sees no other name there than the zone's own"

#: By dns-lexicon's name, what `via` should be instead, in words.
UNFIT: Mapping[str, str] = {
    "auto": "a provider by its own name; auto guesses it",
    "duckdns": _ONE_NAME,
    "godaddy": (
        "another provider: to delete one A record, dns-lexicon writes all A records of the zone there, over what others"
        " change meanwhile, and loses those beyond the first 500"
    ),
    "infoblox": _ONE_NAME,
    "internetbs": _WHOLE_NAME,
    "joker": _WHOLE_ZONE,
    "localzone": "a provider; localzone writes a file",
    "mythicbeasts": _WHOLE_NAME,
    "namecheap": (
        "another provider: with each change, dns-lexicon writes the whole zone there, and loses its MX records"
    ),
    "sakuracloud": _WHOLE_ZONE,
    "valuedomain": _WHOLE_ZONE,
    "yandexcloud": _WHOLE_NAME,
}
