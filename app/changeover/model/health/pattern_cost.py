"""What a regular expression would cost to compile, before it is: nothing stops a compiler once it has begun.

The time and memory of compiling grow with the size of the expression when all its counted repeats are written out:
"(?:(?:a{200}){200}){200}" is eight million letters.
"""

from __future__ import annotations

#: Characters of a pattern; groups within each other; its size with all repeats written out.
MAX_LENGTH, MAX_DEPTH, MAX_SIZE = 2000, 40, 20_000


def refuse_costly(text: str) -> None:
    """Raises ValueError for an expression that could take long to compile. Whether it is one at all is not asked."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a pattern has at most {MAX_LENGTH} characters, not {len(text)}")
    #: By group that is open, the size of what is in it so far, and of its last part, which a repeat would multiply.
    sizes, last = [0], [0]
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "(":
            sizes.append(0)
            last.append(0)
            if len(sizes) > MAX_DEPTH:
                raise ValueError(f"a pattern has at most {MAX_DEPTH} brackets within each other")
            continue
        if char == ")" and len(sizes) > 1:
            size = sizes.pop() + 1
            last.pop()
        elif char == "{" and (times := _times(text, at)) is not None:
            # What is repeated so often stands there that often; it was counted once.
            number, at = times
            size = last[-1] * max(0, number - 1)
            sizes[-1] += size
            last[-1] += size
            _refuse_large(sum(sizes))
            continue
        else:
            size = 1
            if char == "\\":
                at += 1
        sizes[-1] += size
        last[-1] = size
        _refuse_large(sum(sizes))


def _refuse_large(size: int) -> None:
    if size > MAX_SIZE:
        raise ValueError(f"a pattern with its repeats written out has at most {MAX_SIZE} parts")


def _times(text: str, at: int) -> tuple[int, int] | None:
    """How often a repeat that begins before `at` repeats at most, and where it ends; None where it is none."""
    end = text.find("}", at)
    numbers = [number.strip() for number in text[at:end].split(",")] if end > 0 else []
    if not 1 <= len(numbers) <= 2 or not all(n == "" or (n.isdecimal() and n.isascii()) for n in numbers):
        return None
    if all(n == "" for n in numbers):
        return None
    # One without an end is a loop, and its beginning is written out.
    return max(int(n[:9]) if len(n) < 10 else 10**9 for n in numbers if n), end + 1
