"""Do both sides run the same commit, on a database schema of the same version? As apps and platforms tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from changeover.model.platforms.app_version import Told, commit_words, is_hexadecimal, same_commit
from changeover.model.platforms.comparison_row import Agreement, Compared, Side

_NOT_TOLD = "not told"


def version_rows(primary: Side, backup: Side) -> Iterator[Compared]:
    """The rows, where somebody tells of them or was asked to."""
    yield from _commit(primary, backup)
    yield from _deployed(primary, backup)
    yield from _schema(primary, backup)


def in_one_pipeline(primary: Side, backup: Side) -> bool:
    """Are they at stages of their own: what the one runs reaches the other by a promotion?"""
    here, there = primary.observation, backup.observation
    return bool(here.pipeline) and here.pipeline == there.pipeline and here.stage != there.stage


def _commit(primary: Side, backup: Side) -> Iterator[Compared]:
    """By commit. The numbers of releases are counted by each app alone, so that they say nothing of each other."""
    sides = (primary, backup)
    if not any(side.commit or _told(side, "commit") for side in sides):
        return
    here, there = (commit_words(side.commit) or _NOT_TOLD for side in sides)
    if primary.commit and backup.commit:
        same = same_commit(primary.commit, backup.commit)
        why = "" if same else f"{backup.name} runs another commit than {primary.name}"
        if why and in_one_pipeline(primary, backup):
            stages = f"stages {backup.observation.stage} and {primary.observation.stage}"
            why += f"; they are at {stages} of one pipeline, and that was not promoted"
        yield _row("release", "commit", here, there, Agreement.SAME if same else Agreement.DIFFERS, why)
    else:
        silent = [side for side in sides if not side.commit]
        yield _row("release", "commit", here, there, Agreement.UNKNOWN, _untold(silent, "commit", "its commit"))


def _deployed(primary: Side, backup: Side) -> Iterator[Compared]:
    """Does each app run what its platform deployed there, where both tell? It may have to be started anew for that."""
    cells, late, known = [], [], 0
    for side in (primary, backup):
        told, deployed = _told(side, "commit"), side.observation.commit
        if told is None or not (is_hexadecimal(told.value) and is_hexadecimal(deployed)):
            cells.append(_NOT_TOLD)
            continue
        known += 1
        if same_commit(told.value, deployed):
            cells.append("runs")
            continue
        runs, there = commit_words(told.value), commit_words(deployed)
        cells.append(f"{there} is deployed, {runs} runs")
        late.append(f"the platform of {side.name} deployed {there}, which the app does not run yet: it runs {runs}")
    if known:
        agreement = Agreement.DIFFERS if late else Agreement.SAME if known == len(cells) else Agreement.UNKNOWN
        yield _row("release", "deployed", cells[0], cells[1], agreement, "; ".join(late))


def _schema(primary: Side, backup: Side) -> Iterator[Compared]:
    asked = {side.name: told for side in (primary, backup) if (told := _told(side, "schema")) is not None}
    if not asked:
        return
    here, there = (asked[side.name].value if side.name in asked else "" for side in (primary, backup))
    agreement, why = Agreement.SAME, ""
    if not (here and there):
        silent = [side for side, value in ((primary, here), (backup, there)) if not value]
        agreement, why = Agreement.UNKNOWN, _untold(silent, "schema", "its database schema's version")
    elif here != there:
        agreement = Agreement.DIFFERS
        why = f"{backup.name}'s database schema is another version than {primary.name}'s; deploy or migrate it"
    yield _row("schema", "version", here or _NOT_TOLD, there or _NOT_TOLD, agreement, why)


def _untold(silent: list[Side], what: Literal["commit", "schema"], words: str) -> str:
    """Why the apps of these do not tell it, as far as they answered."""
    told = ((side.name, _told(side, what)) for side in silent)
    return "; ".join(f"{name}'s app does not tell {words}: {one.why}" for name, one in told if one is not None)


def _told(side: Side, what: Literal["commit", "schema"]) -> Told | None:
    if side.app is None:
        return None
    return side.app.commit if what == "commit" else side.app.schema


def _row(aspect: str, subject: str, primary: str, backup: str, agreement: Agreement, why: str) -> Compared:
    return Compared(aspect=aspect, subject=subject, primary=primary, backup=backup, agreement=agreement, why=why)
