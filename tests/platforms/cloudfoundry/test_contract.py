"""Every request to Cloud Foundry, and every answer of its simulator, fits the published OpenAPI description.

What the description lacks is listed here, with where it is documented instead (v3-apidocs.cloudfoundry.org).
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace

from changeover.model.errors import ProviderError
from changeover.model.settings.platform import HostnameOptions, ProcessScaleOptions
from contracts import published
from platforms.cloudfoundry_ground import CloudFoundryGround
from platforms.cloudfoundry_simulator import Exchange

Json = dict[str, Any]

#: Paths that the description does not have: quotas, isolation segments (#organization-quotas, #space-quotas,
#: #isolation-segments).
UNDESCRIBED = ("/v3/organization_quotas/", "/v3/space_quotas/", "/v3/isolation_segments/")
#: What no isolation segment answers: {"data": null} (#get-assigned-isolation-segment), which the description's schema
#: forbids, since it puts a reference to an object beside "null".
NULL_DATA = ("/relationships/isolation_segment", "/relationships/default_isolation_segment")
#: A query whose name has brackets, which the description has as one object (#fields-parameter).
FIELDS = ("fields[service_plan]", "fields[service_plan.service_offering]")


@pytest.fixture(scope="module")
def contract() -> Json:
    return published("cloud-foundry.json")


def resolved(contract: Json, part: Json) -> Json:
    while "$ref" in part:
        found: Any = contract
        for key in part["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        part = found
    return part


def operation(contract: Json, method: str, path: str) -> tuple[str, Json]:
    """The description of a request, and the names of the queries that it takes."""
    asked = path.split("/")
    literal_first = sorted(contract["paths"], key=lambda pattern: pattern.count("{"))
    for pattern in literal_first:
        parts = pattern.split("/")
        if len(parts) == len(asked) and all(p.startswith("{") or p == a for p, a in zip(parts, asked, strict=True)):
            described = contract["paths"][pattern]
            assert method.lower() in described, f"{method} {pattern} is not in the description"
            shared = described.get("parameters", [])
            found: Json = {
                **described[method.lower()],
                "parameters": described[method.lower()].get("parameters", []) + shared,
            }
            return pattern, found
    raise AssertionError(f"{method} {path} is not in the description")


def fits(contract: Json, schema: Json, content: bytes) -> None:
    whole = {**schema, "components": contract["components"]}
    jsonschema.Draft202012Validator(whole).validate(json.loads(content))


def check(contract: Json, exchange: Exchange) -> str | None:
    """Asserts that it fits; the pattern of its path, None where the description lacks it."""
    parts = urlsplit(exchange.target)
    if parts.path.startswith(UNDESCRIBED):
        return None
    pattern, described = operation(contract, exchange.method, parts.path)
    names = {resolved(contract, one)["name"] for one in described["parameters"]}
    asked = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    assert asked - names <= set(FIELDS), (exchange.target, asked - names)
    if exchange.body:
        body = resolved(contract, described["requestBody"])["content"]["application/json"]["schema"]
        fits(contract, body, exchange.body)
        known = resolved(contract, body).get("properties", {})
        assert set(json.loads(exchange.body)) <= set(known), exchange
    answer = exchange.answer
    found = described["responses"].get(str(answer.status))
    assert found is not None, f"{exchange.method} {pattern} never answers {answer.status}"
    if parts.path.endswith(NULL_DATA) and json.loads(answer.content)["data"] is None:
        return pattern
    content = resolved(contract, found).get("content", {})
    if content:
        fits(contract, content["application/json"]["schema"], answer.content)
    return pattern


async def test_every_request_and_answer_fits(contract: Json) -> None:
    """Of looking, listing, every operation, its reverse, and refusals of all kinds."""
    with CloudFoundryGround() as ground:
        behind = ground.simulator
        behind.bind(ground.app, "shop-db", "postgresql", "small")
        behind.isolate(ground.space, "only-ours")
        behind.variables[ground.app] = {"MODE": "live"}
        now = [1000.0]
        behind.clock, behind.boot = lambda: now[0], 10.0
        await ground.platform.discover()
        for number, maintenance in ((0, False), (1, False), (2, True)):
            ground.begin(number, maintenance)
            await ground.platform.observe(ground.target)
            for one in ground.kind.operations:
                await asked(ground, one.verb, ground.options(one.verb, 2))
                await ground.platform.observe(ground.target)
                now[0] += 60
        await asked(ground, "attach-domain", HostnameOptions(hostname="new.shop.example"))
        await asked(ground, "scale", ProcessScaleOptions(instances=5000))
        await asked(ground, "scale", ProcessScaleOptions(instances=2, process="nothing"))
        await asked(ground, "restart", None)
        await asked(ground, "scale", ProcessScaleOptions(instances=3))
        ground.uaa.scope = "cloud_controller.read"
        ground.uaa.end_all()
        for one in ground.kind.operations:
            await asked(ground, one.verb, ground.options(one.verb, 2))
        behind.auditor = True
        await ground.platform.observe(ground.target)
        with pytest.raises(ProviderError):
            await ground.platform.observe(replace(ground.target, app="nothing"))
        elsewhere = ground.open(behind.address)
        await elsewhere._cloud.root()
        await elsewhere.aclose()
        await ground.platform.aclose()
        patterns = {check(contract, exchange) for exchange in behind.exchanges}
        statuses = {exchange.answer.status for exchange in behind.exchanges}
    assert statuses == {200, 201, 202, 401, 403, 404, 422}
    assert {"/v3/apps", "/v3/apps/{guid}/processes/{type}/actions/scale", "/v3/routes/{guid}/destinations"} <= {
        *patterns
    }
    print(f"{len(behind.exchanges)} exchanges with {len(patterns - {None})} paths of the description")


async def asked(ground: CloudFoundryGround, verb: Any, options: Any) -> None:
    """Asks for an operation, whatever comes of it."""
    operation = next(one for one in ground.kind.operations if one.verb == verb)
    told = {} if options is None else msgspec.to_builtins(options)
    try:
        await ground.platform.perform(ground.target, verb, msgspec.convert(told, operation.options), "key")
    except ProviderError as error:
        assert error.text


def test_what_does_not_fit_is_noticed(contract: Json) -> None:
    """A query that there is none of, a body with another key, an answer of another type."""
    from dns_servers.http_simulator import Answer

    page = json.dumps({"resources": [{"guid": 1}]}).encode()
    empty = json.dumps({"resources": [], "pagination": {"next": None}}).encode()
    check(contract, Exchange("GET", "/v3/apps?names=x", b"", Answer(200, (), empty)))
    wrong = (
        Exchange("GET", "/v3/apps?nmaes=x", b"", Answer(200, (), empty)),
        Exchange("GET", "/v3/apps", b"", Answer(200, (), page)),
        Exchange("GET", "/v3/nothing", b"", Answer(200, (), empty)),
        Exchange("POST", "/v3/processes/x/actions/scale", b'{"instances": "2"}', Answer(202, (), b"{}")),
        Exchange("POST", "/v3/processes/x/actions/scale", b'{"number": 2}', Answer(202, (), b"{}")),
    )
    for exchange in wrong:
        with pytest.raises((AssertionError, jsonschema.ValidationError)):
            check(contract, exchange)
