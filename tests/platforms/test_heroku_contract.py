"""What Heroku is asked, and what the simulator answers, are as Heroku's published schema has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from contracts import published
from platforms.heroku_ground import HerokuGround

#: What the schema does not have: Heroku Postgres' API, as the Heroku CLI uses it, and the release that a rollback
#: answers with, of which the schema has no more than the link.
ELSEWHERE = ("/client/v11/", "/data/postgres/v1/")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return published("heroku-hyper-schema.json")


def links(schema: dict[str, Any]) -> Iterator[tuple[str, re.Pattern[str], dict[str, Any], dict[str, Any]]]:
    """Each request that there is: its method, its path, its link, and what its thing looks like."""
    for definition in schema["definitions"].values():
        for link in definition.get("links", ()):
            path = re.sub(r"\{[^}]*\}", "[^/]+", link["href"])
            yield link["method"], re.compile(path), link, definition


async def test_requests_and_answers_are_those_of_the_schema(schema: dict[str, Any], tmp_path: Path) -> None:
    """Each one of a look, of what the account has, and of every operation."""
    with HerokuGround(tmp_path) as ground:
        await ground.platform.discover()
        for operation in ground.kind.operations:
            ground.begin(1, maintenance=operation.verb == "disable-certificates")
            await ground.platform.observe(ground.target)
            await ground.platform.perform(
                ground.target, operation.verb, ground.options(operation.verb, 2), f"shop-{operation.verb}"
            )
        await ground.platform.aclose()
    assert len(_checked(ground, schema)) >= 15


async def test_so_are_those_of_every_kind_of_app(schema: dict[str, Any], tmp_path: Path) -> None:
    """Of generation Fir, in a Private Space, in a pipeline."""
    with HerokuGround(tmp_path) as ground:
        ground.app.generation, ground.app.space, ground.app.stage = "fir", "shop-space", "production"
        ground.app.release(42, "f" * 40)
        await ground.platform.observe(ground.target)
        await ground.platform.aclose()
    checked = _checked(ground, schema)
    assert {path for _, path in checked} >= {"/apps/*/oci-images/*", "/apps/*/pipeline-couplings"}


def _checked(ground: HerokuGround, schema: dict[str, Any]) -> set[tuple[str, str]]:
    """Which requests there were, each with a body and an answer that fit."""
    bodies = iter(ground.behind.bodies)
    seen = [
        (method, urlsplit(target).path, b"" if method == "GET" else next(bodies), answer)
        for (method, target), answer in zip(ground.behind.requests, ground.behind.answers, strict=True)
    ]
    known = list(links(schema))
    things = schema["definitions"]
    checked = set()
    for method, path, body, answer in seen:
        if path.startswith(ELSEWHERE):
            continue
        fitting = [(link, thing) for verb, href, link, thing in known if verb == method and href.fullmatch(path)]
        assert fitting, f"{method} {path} is not in the schema"
        if body:
            accepted = [link for link, _ in fitting if _fits(json.loads(body), link.get("schema"), things)]
            assert accepted, f"{method} {path}: {body!r} fits none of {[link['title'] for link, _ in fitting]}"
        if answer.status in (200, 201, 206):
            _answered(method, path, json.loads(answer.content), fitting, things)
            checked.add((method, re.sub(r"[0-9a-f-]{36}|shop-prod", "*", path)))
    return checked


def _validator(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """Its references are to the definitions of the whole."""
    return jsonschema.Draft4Validator({**schema, "links": [], "definitions": definitions})


def _fits(body: object, schema: dict[str, Any] | None, definitions: dict[str, Any]) -> bool:
    return schema is None or bool(_validator(schema, definitions).is_valid(body))


def _answered(method: str, path: str, found: Any, fitting: list[Any], definitions: dict[str, Any]) -> None:
    """A thing, or a list of things, each with all that its schema requires and nothing of another type."""
    faults = []
    for link, thing in fitting:
        wanted = link.get("targetSchema", thing)
        several = link.get("rel") == "instances" or "items" in wanted
        things = found if isinstance(found, list) and several else [found]
        wanted = wanted.get("items", wanted) if isinstance(found, list) else wanted
        validator = _validator(wanted, definitions)
        faults.append([f"{list(f.absolute_path)}: {f.message}" for one in things for f in validator.iter_errors(one)])
        missing = [
            name
            for one in things
            if isinstance(one, dict) and "properties" in wanted
            for name in one
            if name not in wanted["properties"] and "patternProperties" not in wanted
        ]
        faults[-1] += [f"{name} is in no schema" for name in missing]
    assert min(faults, key=len) == [], f"{method} {path}: {min(faults, key=len)[:5]}"
