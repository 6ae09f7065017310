"""A Cloud Foundry's API of version 3 on a loopback port, with state and consequences (v3-apidocs.cloudfoundry.org).

Instances need `boot` seconds to run, by `clock`; a rolling deployment replaces them one by one; quotas refuse. Who asks
for a query that the API does not have is refused, as the real one does. Its requests and answers are held to the
published description by test_cloudfoundry_contract.py.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator
from platforms.uaa_simulator import UaaSimulator

Json = dict[str, Any]
_AT = "2026-08-01T10:00:00Z"
_PAGING = ("page", "per_page", "order_by")


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, code: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"errors": [{"code": code, "title": f"CF-{title}", "detail": detail}]}


class Exchange(NamedTuple):
    method: str
    target: str
    body: bytes
    answer: Answer


class CloudFoundrySimulator(HttpSimulator):
    """One foundation. `uaa` gives its tokens; `bearer` is one that is taken as it is."""

    def __init__(self, uaa: UaaSimulator) -> None:
        super().__init__()
        self.uaa = uaa
        self.exchanges: list[Exchange] = []
        self.bearer = ""
        self.login_address = ""
        self.korifi = False
        self.auditor = False
        #: Paths (regular expressions) that this foundation lacks, and with which status it says so.
        self.lacking: dict[str, int] = {}
        self.most_per_page = 5000
        self.boot = 0.0
        self.clock: Callable[[], float] = time.monotonic
        self.organizations: dict[str, Json] = {}
        self.spaces: dict[str, Json] = {}
        self.domains: dict[str, Json] = {}
        self.apps: dict[str, Json] = {}
        self.processes: dict[str, Json] = {}
        self.routes: dict[str, Json] = {}
        self.droplets: dict[str, Json] = {}
        self.revisions: dict[str, Json] = {}
        self.deployments: dict[str, Json] = {}
        self.variables: dict[str, dict[str, str]] = {}
        self.service_instances: dict[str, Json] = {}
        self.bindings: dict[str, Json] = {}
        self.plans: dict[str, Json] = {}
        self.offerings: dict[str, Json] = {}
        self.quotas: dict[str, Json] = {}
        self.segments: dict[str, Json] = {}
        #: When each instance of a process runs, by the clock; a crashed one never does.
        self.ready: dict[str, list[float]] = {}
        self._ends: dict[str, float] = {}

    # What a person or another program would have made there.

    def add_organization(self, name: str, *, memory: int | None = None, instances: int | None = None) -> str:
        quota = self._add(self.quotas, name=f"{name}-quota", apps=_limits(memory, instances))
        relationships = {"quota": _one(quota)}
        return self._add(self.organizations, name=name, suspended=False, relationships=relationships)

    def add_space(self, name: str, organization: str, *, memory: int | None = None) -> str:
        quota = None if memory is None else self._add(self.quotas, name=f"{name}-quota", apps=_limits(memory, None))
        relationships = {"organization": _one(organization), "quota": _one(quota)}
        return self._add(self.spaces, name=name, relationships=relationships, segment=None)

    def add_domain(self, name: str, organization: str | None = None) -> str:
        relationships = {"organization": _one(organization), "shared_organizations": {"data": []}}
        more = {"internal": False, "router_group": None, "supported_protocols": ["http"]}
        return self._add(self.domains, name=name, relationships=relationships, **more)

    def add_app(
        self,
        name: str,
        space: str,
        *,
        instances: int = 1,
        memory: int = 256,
        stack: str = "cflinuxfs4",
        commit: str = "",
    ) -> str:
        lifecycle = {"type": "buildpack", "data": {"buildpacks": ["python_buildpack"], "stack": stack}}
        metadata = {"labels": {}, "annotations": {"example.com/commit": commit} if commit else {}}
        app = self._add(
            self.apps, name=name, state="STARTED", lifecycle=lifecycle, relationships={"space": _one(space)}
        )
        droplet = self._add(
            self.droplets,
            state="STAGED",
            error=None,
            lifecycle=lifecycle,
            execution_metadata="",
            process_types={"web": "run"},
            stack=stack,
            image=None,
            checksum={"type": "sha256", "value": "0" * 64},
            buildpacks=[
                {"name": "python_buildpack", "detect_output": "python", "version": "1.8", "buildpack_name": "python"}
            ],
            relationships={"app": _one(app)},
        )
        self.droplets[droplet]["metadata"] = metadata
        self._add(
            self.revisions,
            version=12,
            description="New droplet deployed.",
            deployable=True,
            droplet={"guid": droplet},
            relationships={"app": _one(app)},
        )
        self.variables[app] = {}
        self.add_process(app, "web", instances, memory)
        return app

    def add_process(self, app: str, kind: str, instances: int, memory: int = 256) -> str:
        check = {"type": "port", "data": {"timeout": None, "invocation_timeout": None, "interval": None}}
        process = self._add(
            self.processes,
            type=kind,
            command=None,
            user="vcap",
            version=str(uuid.uuid4()),
            instances=instances,
            memory_in_mb=memory,
            disk_in_mb=1024,
            log_rate_limit_in_bytes_per_second=-1,
            health_check=check,
            readiness_health_check={"type": "process", "data": {"invocation_timeout": None, "interval": None}},
            relationships={"app": _one(app), "revision": None},
        )
        self.ready[process] = [0.0] * instances
        return process

    def add_route(self, host: str, domain: str, space: str, leads_to: Sequence[tuple[str, str]] = ()) -> str:
        name = self.domains[domain]["name"]
        route = self._add(
            self.routes,
            protocol="http",
            host=host,
            path="",
            port=None,
            url=f"{host}.{name}" if host else name,
            destinations=[],
            relationships={"space": _one(space), "domain": _one(domain)},
        )
        for app, kind in leads_to:
            self.routes[route]["destinations"].append(_destination({"app": {"guid": app, "process": {"type": kind}}}))
        return route

    def bind(self, app: str, name: str, offering: str, plan: str, state: str = "succeeded") -> None:
        space = self.apps[app]["relationships"]["space"]["data"]["guid"]
        offered = self._add(self.offerings, name=offering)
        planned = self._add(self.plans, name=plan, relationships={"service_offering": _one(offered)})
        operation = {"type": "create", "state": state, "description": None, "created_at": _AT, "updated_at": _AT}
        instance = self._add(
            self.service_instances,
            name=name,
            type="managed",
            tags=[],
            last_operation=operation,
            relationships={"space": _one(space), "service_plan": _one(planned)},
        )
        self._add(
            self.bindings,
            name=None,
            type="app",
            last_operation=operation,
            relationships={"app": _one(app), "service_instance": _one(instance)},
        )

    def crash(self, app: str, kind: str, index: int) -> None:
        self.ready[self.process_of(app, kind)["guid"]][index] = float("inf")

    def isolate(self, space: str, name: str) -> None:
        self.spaces[space]["segment"] = self._add(self.segments, name=name)

    def remove_app(self, app: str) -> None:
        del self.apps[app]
        self.processes = {guid: one for guid, one in self.processes.items() if _of(one, "app") != app}
        for route in self.routes.values():
            route["destinations"] = [one for one in route["destinations"] if one["app"]["guid"] != app]

    # What it looks like from behind.

    def process_of(self, app: str, kind: str) -> Json:
        """The newest of that kind, which is the one that is scaled."""
        return [one for one in self.processes.values() if _of(one, "app") == app and one["type"] == kind][-1]

    def leads_to(self, route: str) -> list[tuple[str, str]]:
        """The names of the apps and processes that a route leads to and that run: what visitors get."""
        self._settle()
        found = []
        for one in self.routes[route]["destinations"]:
            app, kind = self.apps[one["app"]["guid"]], one["app"]["process"]["type"]
            kinds = {process["type"] for process in self.processes.values() if _of(process, "app") == app["guid"]}
            if app["state"] == "STARTED" and kind in kinds:
                found.append((app["name"], kind))
        return sorted(found)

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = self._found(method, target, headers, body)
        self.exchanges.append(Exchange(method, target, body, answer))
        return answer

    def _found(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(target)
        try:
            if parts.path == "/" and method == "GET":
                return _json(200, self._root())
            self._authorize(method, headers)
            for pattern, status in self.lacking.items():
                if re.fullmatch(pattern, parts.path):
                    raise Refusal(status, 10000, "NotFound", "Unknown request")
            self._settle()
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            for wanted, pattern, handler in _HANDLERS:
                found = re.fullmatch(pattern, parts.path)
                if found is not None and wanted == method:
                    guids = [unquote(one) for one in found.groups()]
                    status, value = handler(self, guids, query if method == "GET" else json.loads(body or b"{}"))
                    return _json(status, value)
            raise Refusal(404, 10000, "NotFound", "Unknown request")
        except Refusal as refusal:
            return _json(refusal.status, refusal.body)

    def _authorize(self, method: str, headers: Mapping[str, str]) -> None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        granted = self.uaa.granted.get(token)
        if kind.lower() != "bearer" or not token:
            raise Refusal(401, 10002, "NotAuthenticated", "Authentication error")
        if self.bearer and token == self.bearer:
            return
        if granted is None or granted.until <= time.monotonic():
            raise Refusal(401, 1000, "InvalidAuthToken", "Invalid Auth Token")
        if method != "GET" and "cloud_controller.write" not in granted.scope.split():
            raise Refusal(403, 10003, "NotAuthorized", "You are not authorized to perform the requested action")

    def _root(self) -> Json:
        def link(href: str) -> Json:
            return {"href": href}

        links: Json = {"self": link(self.address)}
        links["cloud_controller_v3"] = {"href": f"{self.address}/v3", "meta": {"version": "3.195.0"}}
        login = self.login_address or self.uaa.address
        if not self.korifi or self.login_address:
            links |= {"uaa": link(login), "login": link(login)}
        return {"links": links, **({"cf_on_k8s": True} if self.korifi else {})}

    def _settle(self) -> None:
        """Ends the deployments whose time is over."""
        for guid, end in list(self._ends.items()):
            if self.clock() >= end:
                deployment = self.deployments[guid]
                deployment["status"] = _status("FINALIZED", "DEPLOYED")
                app = _of(deployment, "app")
                former = [one for one in self.processes.values() if _of(one, "app") == app and one["type"] == "web"]
                for one in former[:-1]:
                    del self.processes[one["guid"]]
                former[-1]["instances"] = former[0]["instances"]
                self.ready[former[-1]["guid"]] = [0.0] * former[0]["instances"]
                del self._ends[guid]

    def _scale(self, process: Json, instances: Any) -> tuple[int, Json]:
        app = self.apps[_of(process, "app")]
        active = any(_of(self.deployments[guid], "app") == app["guid"] for guid in self._ends)
        if active and process["type"] == "web":
            raise Refusal(
                422, 10008, "UnprocessableEntity", "Cannot scale this process while a deployment is in flight."
            )
        if not isinstance(instances, int) or instances < 0:
            raise Refusal(422, 10008, "UnprocessableEntity", "Instances must be greater than or equal to 0")
        space = self.spaces[_of(app, "space")]
        for holder in (self.organizations[_of(space, "organization")], space):
            quota = self.quotas.get(_of(holder, "quota"))
            used = self._usage(holder["guid"])
            more = instances - process["instances"]
            if quota is None or app["state"] != "STARTED" or more <= 0:
                continue
            limits = quota["apps"]
            if limits["total_memory_in_mb"] is not None and (
                used["memory_in_mb"] + more * process["memory_in_mb"] > limits["total_memory_in_mb"]
            ):
                raise Refusal(422, 10008, "UnprocessableEntity", "memory quota_exceeded")
            if limits["total_instances"] is not None and used["started_instances"] + more > limits["total_instances"]:
                raise Refusal(422, 10008, "UnprocessableEntity", "app_instance_limit instance_limit_exceeded")
        ready = self.ready[process["guid"]][:instances]
        self.ready[process["guid"]] = ready + [self.clock() + self.boot] * (instances - len(ready))
        process["instances"] = instances
        return 202, self._shown("processes", process)

    def _usage(self, holder: str) -> Json:
        spaces = {guid for guid, one in self.spaces.items() if holder in (guid, _of(one, "organization"))}
        apps = {guid for guid, one in self.apps.items() if _of(one, "space") in spaces and one["state"] == "STARTED"}
        running = [one for one in self.processes.values() if _of(one, "app") in apps]
        names = ("routes", "service_instances", "reserved_ports", "domains", "per_app_tasks", "service_keys")
        return {
            "started_instances": sum(one["instances"] for one in running),
            "memory_in_mb": sum(one["instances"] * one["memory_in_mb"] for one in running),
            **dict.fromkeys(names, 0),
        }

    def _stats(self, process: Json) -> Json:
        started = self.apps[_of(process, "app")]["state"] == "STARTED"
        found = []
        for index, ready in enumerate(self.ready[process["guid"]]):
            state = "RUNNING" if self.clock() >= ready else "CRASHED" if ready == float("inf") else "STARTING"
            found.append({"type": process["type"], "index": index, "state": state if started else "DOWN", "uptime": 60})
        return {"resources": found}

    def _set_state(self, guid: str, state: str) -> tuple[int, Json]:
        app = self._one(self.apps, guid, "App")
        if state == "STARTED" and app["state"] != state:
            for one in self.processes.values():
                if _of(one, "app") == guid:
                    self.ready[one["guid"]] = [self.clock() + self.boot] * one["instances"]
        app["state"] = state
        return 200, self._shown("apps", app)

    def _deploy(self, body: Json) -> tuple[int, Json]:
        app = self._one(self.apps, body["relationships"]["app"]["data"]["guid"], "App")
        web = self.process_of(app["guid"], "web")
        droplet = next(one["guid"] for one in self.droplets.values() if _of(one, "app") == app["guid"])
        guid = self._add(
            self.deployments,
            status=_status("ACTIVE", "DEPLOYING"),
            strategy=body.get("strategy", "rolling"),
            options={"max_in_flight": 1},
            droplet={"guid": droplet},
            previous_droplet={"guid": droplet},
            new_processes=[],
            revision={"guid": str(uuid.uuid4()), "version": 12},
            relationships={"app": _one(app["guid"])},
        )
        if app["state"] == "STOPPED":
            self._set_state(app["guid"], "STARTED")
        new = self.add_process(app["guid"], "web", 1, web["memory_in_mb"])
        self.ready[new] = [self.clock() + self.boot]
        self._ends[guid] = self.clock() + self.boot * max(1, web["instances"])
        shown = self._shown("deployments", self.deployments[guid])
        self._settle()
        return 201, shown

    def _add_route(self, body: Json) -> tuple[int, Json]:
        domain = self._one(self.domains, body["relationships"]["domain"]["data"]["guid"], "Domain")
        space = self._one(self.spaces, body["relationships"]["space"]["data"]["guid"], "Space")
        host = body.get("host", "")
        if any(_of(one, "domain") == domain["guid"] and one["host"] == host for one in self.routes.values()):
            said = f"Route already exists with host '{host}' for domain '{domain['name']}'."
            raise Refusal(422, 10008, "UnprocessableEntity", said)
        return 201, self._shown("routes", self.routes[self.add_route(host, domain["guid"], space["guid"])])

    def _lead(self, guid: str, wanted: Sequence[Json], keep: bool) -> tuple[int, Json]:
        route = self._one(self.routes, guid, "Route")
        space = _of(route, "space")
        if any(self.apps.get(one["app"]["guid"], {"relationships": {"space": _one("")}}) is None for one in wanted):
            raise Refusal(422, 10008, "UnprocessableEntity", "App(s) do not exist")
        for one in wanted:
            app = self.apps.get(one["app"]["guid"])
            if app is None or _of(app, "space") != space:
                said = "Routes cannot be mapped to destinations in different spaces."
                raise Refusal(422, 10008, "UnprocessableEntity", said)
        there = route["destinations"]
        new = [_destination(one) for one in wanted]
        same = {_key(one): one for one in there}
        new = [same.get(_key(one), one) for one in new]
        if len({_key(one) for one in new}) < len(new):
            raise Refusal(422, 10008, "UnprocessableEntity", "Destinations cannot contain duplicate entries")
        route["destinations"] = [*there, *(one for one in new if one not in there)] if keep else new
        return 200, {"destinations": route["destinations"], "links": {"self": {"href": self.address}}}

    def _listed(self, kind: str, items: Iterable[Json], query: Mapping[str, str], filters: Json, more: Json) -> Json:
        unknown = set(query) - {*_PAGING, *filters}
        if unknown:
            said = f"The query parameter is invalid: Unknown query parameter(s): '{sorted(unknown)[0]}'"
            raise Refusal(400, 10005, "BadQueryParameter", said)
        size, page = int(query.get("per_page", 50)), int(query.get("page", 1))
        if not (1 <= size <= 5000 and page >= 1):
            raise Refusal(
                400, 10005, "BadQueryParameter", "The query parameter is invalid: Per page must be between 1 and 5000"
            )
        size = min(size, self.most_per_page)
        wanted = {
            name: value.split(",") for name, value in query.items() if name in filters and filters[name] is not None
        }
        found = [one for one in items if all(filters[name](one) in values for name, values in wanted.items())]
        last = max(1, -(-len(found) // size))

        def link(number: int) -> Json | None:
            asked = urlencode({**query, "page": number, "per_page": size})
            return {"href": f"{self.address}/v3/{kind}?{asked}"} if 1 <= number <= last else None

        pagination = {"total_results": len(found), "total_pages": last, "first": link(1), "last": link(last)}
        pagination |= {"next": link(page + 1), "previous": link(page - 1)}
        shown = [self._shown(kind, one) for one in found[(page - 1) * size : page * size]]
        return {"pagination": pagination, "resources": shown, **more}

    def _shown(self, kind: str, one: Json) -> Json:
        """A resource as it is answered."""
        links: Json = {"self": {"href": f"{self.address}/v3/{kind}/{one['guid']}"}}
        if kind == "processes":
            links["scale"] = {"href": f"{links['self']['href']}/actions/scale", "method": "POST"}
            links["stats"] = {"href": f"{links['self']['href']}/stats"}
        if kind == "routes":
            links["destinations"] = {"href": f"{links['self']['href']}/destinations"}
        return {"metadata": {"labels": {}, "annotations": {}}, **_without(one, "segment"), "links": links}

    def _add(self, where: dict[str, Json], **content: Any) -> str:
        guid = str(uuid.uuid4())
        where[guid] = {"guid": guid, "created_at": _AT, "updated_at": _AT, **content}
        return guid

    def _one(self, where: Mapping[str, Json], guid: str, what: str) -> Json:
        if guid not in where:
            raise Refusal(404, 10010, "ResourceNotFound", f"{what} not found")
        return where[guid]

    def _environment(self, guid: str) -> tuple[int, Json]:
        self._one(self.apps, guid, "App")
        if self.auditor:
            raise Refusal(403, 10003, "NotAuthorized", "You are not authorized to perform the requested action")
        return 200, {"var": self.variables[guid], "links": {"self": {"href": self.address}}}

    def _instances(self, query: Mapping[str, str]) -> Json:
        wanted = query.get("guids", "").split(",")
        found = [one for one in self.service_instances.values() if one["guid"] in wanted]
        plans = [self.plans[_of(one, "service_plan")] for one in found]
        included = {
            "service_plans": plans,
            "service_offerings": [self.offerings[_of(p, "service_offering")] for p in plans],
        }
        fields = ("fields[service_plan]", "fields[service_plan.service_offering]")
        filters = {"guids": lambda one: one["guid"], **dict.fromkeys(fields)}
        return self._listed(
            "service_instances", found, query, filters, {"included": included} if fields[0] in query else {}
        )


def _key(one: Json) -> tuple[Any, ...]:
    return one["app"]["guid"], one["app"]["process"]["type"], one["port"]


def _destination(asked: Json) -> Json:
    return {
        "guid": str(uuid.uuid4()),
        "app": {"guid": asked["app"]["guid"], "process": {"type": asked["app"].get("process", {}).get("type", "web")}},
        "weight": None,
        "port": asked.get("port") or 8080,
        "protocol": asked.get("protocol") or "http1",
        "created_at": _AT,
        "updated_at": _AT,
        "metadata": {"labels": {}, "annotations": {}},
    }


def _limits(memory: int | None, instances: int | None) -> Json:
    return {"total_memory_in_mb": memory, "total_instances": instances, "per_process_memory_in_mb": None}


def _status(value: str, reason: str) -> Json:
    return {
        "value": value,
        "reason": reason,
        "details": {"last_successful_healthcheck": _AT, "last_status_change": _AT},
    }


def _one(guid: str | None) -> Json:
    return {"data": None if guid is None else {"guid": guid}}


def _of(one: Mapping[str, Any], name: str) -> str:
    """The guid of what a resource is related to; empty where it is not."""
    data = (one["relationships"].get(name) or {}).get("data")
    return data["guid"] if data else ""


def _without(one: Json, *names: str) -> Json:
    return {key: value for key, value in one.items() if key not in names}


def _json(status: int, value: Any) -> Answer:
    return Answer(status, (), json.dumps(value).encode())


def _related(name: str) -> Callable[[Json], str]:
    return lambda one: _of(one, name)


def _field(name: str) -> Callable[[Json], Any]:
    return lambda one: one[name]


_Handler = Callable[[CloudFoundrySimulator, list[str], dict[str, Any]], tuple[int, Any]]
_GUID = "([A-Za-z0-9-]+)"


def _list(kind: str, **filters: Any) -> _Handler:
    usual = {"guids": _field("guid"), **filters}
    return lambda s, _, query: (200, s._listed(kind, getattr(s, _kept(kind)).values(), query, usual, {}))


def _kept(kind: str) -> str:
    return {"service_credential_bindings": "bindings"}.get(kind, kind)


def _of_app(kind: str) -> _Handler:
    def handler(s: CloudFoundrySimulator, guids: list[str], query: dict[str, Any]) -> tuple[int, Any]:
        s._one(s.apps, guids[0], "App")
        found = [one for one in getattr(s, kind).values() if _of(one, "app") == guids[0]]
        return 200, s._listed(kind, found, query, {}, {})

    return handler


def _got(kind: str, what: str) -> _Handler:
    return lambda s, guids, _: (200, s._shown(kind, s._one(getattr(s, _kept(kind)), guids[0], what)))


def _routes(s: CloudFoundrySimulator, _: list[str], query: dict[str, Any]) -> tuple[int, Any]:
    apps = query.get("app_guids")
    found = [
        one
        for one in s.routes.values()
        if apps is None or any(to["app"]["guid"] in apps.split(",") for to in one["destinations"])
    ]
    filters = {
        "app_guids": None,
        "hosts": _field("host"),
        "domain_guids": _related("domain"),
        "space_guids": _related("space"),
    }
    return 200, s._listed("routes", found, query, filters, {})


def _domains(s: CloudFoundrySimulator, guids: list[str], query: dict[str, Any]) -> tuple[int, Any]:
    s._one(s.organizations, guids[0], "Organization")
    found = [one for one in s.domains.values() if _of(one, "organization") in ("", guids[0])]
    return 200, s._listed("domains", found, query, {"names": _field("name")}, {})


def _droplet(s: CloudFoundrySimulator, guids: list[str], _: dict[str, Any]) -> tuple[int, Any]:
    s._one(s.apps, guids[0], "App")
    found = [one for one in s.droplets.values() if _of(one, "app") == guids[0]]
    if not found:
        raise Refusal(404, 10010, "ResourceNotFound", "Droplet not found")
    return 200, s._shown("droplets", found[-1])


def _isolation(s: CloudFoundrySimulator, guids: list[str], _: dict[str, Any]) -> tuple[int, Any]:
    return 200, {**_one(s._one(s.spaces, guids[0], "Space")["segment"]), "links": {"self": {"href": s.address}}}


def _default_isolation(s: CloudFoundrySimulator, guids: list[str], _: dict[str, Any]) -> tuple[int, Any]:
    s._one(s.organizations, guids[0], "Organization")
    return 200, {**_one(None), "links": {"self": {"href": s.address}}}


def _used(kind: str) -> _Handler:
    def handler(s: CloudFoundrySimulator, guids: list[str], _: dict[str, Any]) -> tuple[int, Any]:
        s._one(getattr(s, kind), guids[0], kind)
        return 200, {"usage_summary": s._usage(guids[0]), "links": {"self": {"href": s.address}}}

    return handler


def _scale_app(s: CloudFoundrySimulator, guids: list[str], body: dict[str, Any]) -> tuple[int, Any]:
    s._one(s.apps, guids[0], "App")
    kinds = {one["type"] for one in s.processes.values() if _of(one, "app") == guids[0]}
    if guids[1] not in kinds:
        raise Refusal(404, 10010, "ResourceNotFound", "Process not found")
    return s._scale(s.process_of(guids[0], guids[1]), body.get("instances"))


_HANDLERS: tuple[tuple[str, str, _Handler], ...] = (
    ("GET", "/v3/organizations", _list("organizations", names=_field("name"))),
    ("GET", "/v3/spaces", _list("spaces", names=_field("name"), organization_guids=_related("organization"))),
    ("GET", "/v3/apps", _list("apps", names=_field("name"), space_guids=_related("space"))),
    ("GET", f"/v3/apps/{_GUID}", _got("apps", "App")),
    ("GET", f"/v3/apps/{_GUID}/processes", _of_app("processes")),
    ("GET", f"/v3/apps/{_GUID}/revisions/deployed", _of_app("revisions")),
    ("GET", f"/v3/apps/{_GUID}/droplets/current", _droplet),
    ("GET", f"/v3/apps/{_GUID}/environment_variables", lambda s, guids, _: s._environment(guids[0])),
    ("GET", f"/v3/apps/{_GUID}/routes", lambda s, guids, query: _routes(s, guids, {**query, "app_guids": guids[0]})),
    ("POST", f"/v3/apps/{_GUID}/actions/start", lambda s, guids, _: s._set_state(guids[0], "STARTED")),
    ("POST", f"/v3/apps/{_GUID}/actions/stop", lambda s, guids, _: s._set_state(guids[0], "STOPPED")),
    ("POST", f"/v3/apps/{_GUID}/processes/([a-z%A-Z0-9.-]+)/actions/scale", _scale_app),
    ("GET", "/v3/processes", _list("processes", app_guids=_related("app"), types=_field("type"))),
    ("GET", f"/v3/processes/{_GUID}/stats", lambda s, g, _: (200, s._stats(s._one(s.processes, g[0], "Process")))),
    (
        "POST",
        f"/v3/processes/{_GUID}/actions/scale",
        lambda s, g, body: s._scale(s._one(s.processes, g[0], "Process"), body.get("instances")),
    ),
    (
        "GET",
        "/v3/deployments",
        _list("deployments", app_guids=_related("app"), status_values=lambda one: one["status"]["value"]),
    ),
    ("POST", "/v3/deployments", lambda s, _, body: s._deploy(body)),
    ("GET", "/v3/routes", _routes),
    ("POST", "/v3/routes", lambda s, _, body: s._add_route(body)),
    ("GET", f"/v3/routes/{_GUID}", _got("routes", "Route")),
    ("POST", f"/v3/routes/{_GUID}/destinations", lambda s, g, body: s._lead(g[0], body["destinations"], True)),
    ("PATCH", f"/v3/routes/{_GUID}/destinations", lambda s, g, body: s._lead(g[0], body["destinations"], False)),
    ("GET", f"/v3/organizations/{_GUID}/domains", _domains),
    ("GET", "/v3/domains", _list("domains", names=_field("name"))),
    ("GET", f"/v3/organizations/{_GUID}/usage_summary", _used("organizations")),
    ("GET", f"/v3/spaces/{_GUID}/usage_summary", _used("spaces")),
    ("GET", f"/v3/(?:organization|space)_quotas/{_GUID}", _got("quotas", "Quota")),
    ("GET", f"/v3/spaces/{_GUID}/relationships/isolation_segment", _isolation),
    ("GET", f"/v3/organizations/{_GUID}/relationships/default_isolation_segment", _default_isolation),
    ("GET", f"/v3/isolation_segments/{_GUID}", _got("segments", "Isolation segment")),
    ("GET", "/v3/service_instances", lambda s, _, query: (200, s._instances(query))),
    (
        "GET",
        "/v3/service_credential_bindings",
        _list("service_credential_bindings", app_guids=_related("app"), type=_field("type")),
    ),
)
