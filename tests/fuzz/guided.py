"""Feeds one reader with what atheris makes: python -m fuzz.guided NAME FOLDER [libFuzzer's options]."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "app"))
with atheris.instrument_imports(include=["changeover", "h11", "jmespath", "dns"]):
    from fuzz.readers import READERS


def main() -> None:
    name, *rest = sys.argv[1:]
    atheris.Setup([sys.argv[0], *rest], READERS[name].read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
