"""What a response must be: each condition of the settings against a response, and the sentence where it fails."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from changeover.model.foreign_text import one_line
from changeover.model.health.charset import decoded
from changeover.model.health.check import Comparison, Expectations
from changeover.model.health.pattern_cost import refuse_costly

if TYPE_CHECKING:
    import regex
    from jmespath.parser import ParsedResult

#: As much of a body is read, in bytes; "64 KiB" in sentences.
MAX_BODY = 64 * 1024
#: A path into JSON has so many characters at most: more brackets within each other could not be followed.
MAX_PATH = 500
#: A pattern that takes longer than this many seconds is given up: nothing else runs meanwhile.
PATTERN_SECONDS = 0.1
#: Values of a response are shown up to this many characters.
_SHOWN = 60
_NOTHING = object()
#: What JMESPath raises where an expression and a value do not fit; those of its own are ValueErrors.
_UNFIT = (ValueError, TypeError, ArithmeticError, AttributeError, LookupError, RecursionError)
_MOST_SECONDS = 2**31

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


class Response(Struct, frozen=True):
    """An HTTP response as far as it was read. `headers` have names in lower case, as they came otherwise.

    `seconds` is how long all of it took. `cut` where the body was longer than what was read of it.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    seconds: float = 0.0
    cut: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header; None where there is none."""
        wanted = name.lower().encode("latin-1", "replace")
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), None)

    def listed(self, name: str) -> str | None:
        """All values of a header as one list (RFC 9110, 5.3); None where there is none."""
        values = self.values(name)
        return ", ".join(values) if values else None

    def values(self, name: str) -> list[str]:
        """All values of a header, in their order."""
        wanted = name.lower().encode("latin-1", "replace")
        return [value.decode("latin-1") for key, value in self.headers if key == wanted]

    @property
    def text(self) -> str:
        """The body as text, in the charset that a browser would read it in. What is no text there becomes U+FFFD."""
        said = [value for value in self.values("content-type") if "charset" in value.lower()]
        return decoded(self.body, said[-1] if said else "")  # of several the last counts (Fetch, "extract a MIME type")


def seconds_told(text: str | None) -> int | None:
    """Whole seconds as a header gives them (RFC 9110, 10.2.3); None where it says nothing of the kind.

    Larger ones than 2^31 are that many (RFC 9111, 1.2.2).
    """
    told = (text or "").strip()
    if not (told.isascii() and told.isdecimal()):
        return None
    return int(told) if len(told) < 10 else _MOST_SECONDS


def unmet(expectations: Expectations, response: Response, *, show: bool = True) -> str | None:
    """The first condition that `response` does not meet, as a sentence that begins with its status; else None.

    A body that was cut is judged by what was read of it, and the sentence says so. `show` False leaves out what stands
    in the response, which may be private.
    """
    if not expected(response.status, expectations.expect_status):
        return f"{response.status}, expected {expectations.expect_status}"
    fault = (
        _late(expectations, response)
        or _header_fault(expectations, response, show)
        or _body_fault(expectations, response)
        or _json_fault(expectations, response, show)
    )
    return f"{response.status}, but {fault}" if fault else None


def looks_into_body(expectations: Expectations) -> bool:
    """Is there a condition that says what the body of a good answer holds?"""
    return bool(
        expectations.expect_body is not None or expectations.expect_body_match is not None or expectations.expect_json
    )


def enough(expectations: Expectations, body: bytes) -> bool:
    """Is all there that the conditions look at, so that the rest of a body need not be waited for?"""
    if len(body) > MAX_BODY:
        return True
    only_text = expectations.expect_body is not None and not (
        expectations.expect_body_match is not None
        or expectations.expect_body_without is not None
        or expectations.expect_json
        or expectations.expect_within is not None
    )
    text = expectations.expect_body
    return only_text and text is not None and text.isascii() and text.encode() in body


def pattern(text: str) -> regex.Pattern[str]:
    """The compiled pattern. ValueError says what is wrong with it, and where."""
    import regex

    refuse_costly(text)
    try:
        return regex.compile(text)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f'"{one_line(text, _SHOWN)}" is not a regular expression: {error}') from None


def json_path(text: str) -> ParsedResult:
    """The compiled path. ValueError says what one looks like."""
    import jmespath
    import jmespath.exceptions

    try:
        if len(text) > MAX_PATH:
            raise ValueError(f"a path into JSON has at most {MAX_PATH} characters, not {len(text)}")
        return jmespath.compile(text)
    except (jmespath.exceptions.JMESPathError, RecursionError):
        raise ValueError(
            f'"{one_line(text, _SHOWN)}" is not a path into JSON (JMESPath); '
            "one looks like database.state or checks[0].ok"
        ) from None


def comparison(value: Comparison) -> tuple[str, Comparison]:
    """The operator in `value` and what it compares with: "< 100" is ("<", 100.0), "ok" is ("is", "ok").

    After "==" and "!=", 3 may be the number and the text; "== < 100" stands for the text "< 100" itself. ValueError
    says what would be right.
    """
    if not isinstance(value, str):
        return "is", value
    for sign in ("<=", ">=", "<", ">"):
        if value.startswith(sign):
            operand = _number(value[len(sign) :])
            if operand is None:
                raise ValueError(f'after "{sign}" stands a number, as in "{sign} 100"; "== {value}" is the text itself')
            return sign, operand
    for sign in ("!=", "=="):
        if value.startswith(sign):
            return sign, value[len(sign) :].strip()
    return "is", value


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def json_value(path: str, response: Response) -> Any:
    """What stands at `path` in a JSON body. ValueError says why there is nothing."""
    if response.cut:
        raise ValueError("the body is longer than 64 KiB, so that its JSON cannot be read")
    try:
        whole = _json(response)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON" if response.body else "the body is empty, not JSON") from None
    try:
        found = json_path(path).search(whole)
    except _UNFIT:  # its own words hold values of the body
        raise ValueError(f'"{path}" does not fit its JSON') from None
    if found is None:
        raise ValueError(f'there is no "{path}" in its JSON')
    return found


def _json(response: Response) -> Any:
    """The whole body. NaN, lone surrogates and other charsets pass for JSON with many, and so they do here."""
    try:
        return msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        # A zero byte stands in JSON of UTF-16 and UTF-32 alone, which some send without saying so (RFC 4627, 3).
        text = response.body if b"\0" in response.body else response.text
        return json.loads(text, parse_int=_whole)


def _whole(digits: str) -> int | float:
    """A whole number; one of more digits than Python takes is infinite, and not a fault of the JSON."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def json_text(value: Any) -> str:
    """A value of a JSON body as JSON, or a text that says that it is nested too deeply."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return "nested too deeply"


def search(text: str, response: Response) -> regex.Match[str] | None:
    """Where a pattern is found in a body. ValueError where it took too long to find out."""
    try:
        return pattern(text).search(response.text, timeout=PATTERN_SECONDS)
    except TimeoutError:
        raise ValueError(f'the pattern "{text}" took too long; a simpler one is needed') from None


def _late(wanted: Expectations, response: Response) -> str | None:
    limit = wanted.expect_within
    if limit is None or response.seconds <= limit:
        return None
    return f"it took {math.ceil(response.seconds * 1000) / 1000:g} s, expected within {limit:g} s"


def _header_fault(wanted: Expectations, response: Response, show: bool) -> str | None:
    for name, text in wanted.expect_header.items():
        values = response.values(name)
        if not values:
            return f"the header {name} is missing"
        if not any(text in value for value in values):
            said = f'says "{one_line(", ".join(values), _SHOWN)}" without' if show else "does not say"
            return f'the header {name} {said} "{text}"'
    return None


def _body_fault(wanted: Expectations, response: Response) -> str | None:
    said = (wanted.expect_body, wanted.expect_body_match, wanted.expect_body_without)
    if all(text is None for text in said):
        return None
    packed = response.header("content-encoding")
    if packed and packed.lower() != "identity":
        return f"the body comes packed ({one_line(packed, _SHOWN)}), which was not asked for and cannot be unpacked"
    text, part = response.text, " in its first 64 KiB" if response.cut else ""
    if wanted.expect_body is not None and wanted.expect_body not in text:
        return f'the text "{wanted.expect_body}" is missing{part}'
    if wanted.expect_body_without is not None and wanted.expect_body_without in text:
        return f'the text "{wanted.expect_body_without}" is there'
    if wanted.expect_body_match is None:
        return None
    try:
        found = search(wanted.expect_body_match, response)
    except ValueError as error:
        return str(error)
    return None if found else f'nothing matches "{wanted.expect_body_match}"{part}'


def _json_fault(wanted: Expectations, response: Response, show: bool) -> str | None:
    for path, value in wanted.expect_json.items():
        try:
            found = json_value(path, response)
            sign, operand = comparison(value)
        except ValueError as error:
            return str(error)
        if not _holds(found, sign, operand):
            plain = f"{sign} {operand:g}" if sign in _ORDERS else _written(operand)
            phrase = f"not {plain}" if sign == "!=" else plain
            said = f"is {_written(found)}" if show else "is something else"
            return f'"{path}" {said}, expected {phrase}'
    return None


def _holds(found: Any, sign: str, operand: Comparison) -> bool:
    if sign in _ORDERS:
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return number and _ORDERS[sign](found, operand)
    if sign == "is":
        return _same(found, operand)
    return (_same(found, operand) or _same(found, _decoded(operand))) == (sign == "==")


def _same(found: Any, wanted: Any) -> bool:
    """Equal as JSON has it: true is not 1."""
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


def _decoded(operand: Comparison) -> Any:
    """After == and !=, 3 and true may mean the number and the truth value as well."""
    if not isinstance(operand, str):
        return _NOTHING
    try:
        return msgspec.json.decode(operand.encode())
    except msgspec.DecodeError:
        return _NOTHING


def _written(value: Any) -> str:
    return one_line(json_text(value), _SHOWN)


def status_ranges(text: str) -> tuple[range, ...]:
    """The ranges in `text`. ValueError says what one looks like."""
    found = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        low, high = first.strip(), (last if dash else first).strip()
        if not (low.isdecimal() and high.isdecimal() and 100 <= int(low) <= int(high) <= 599):
            raise ValueError(f'"{part.strip()}" is not a range of status codes; one looks like 200-299 or 404')
        found.append(range(int(low), int(high) + 1))
    return tuple(found)


def expected(status: int, text: str) -> bool:
    """Is `status` within the ranges of `text`?"""
    return any(status in span for span in status_ranges(text))
