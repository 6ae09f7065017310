"""Heroku's Platform API and Heroku Postgres' own, with state and what follows from it.

Written from devcenter.heroku.com/articles/platform-api-reference, and held to Heroku's published schema where that is
there (test_heroku_contract.py). Both APIs answer at one address, as the Heroku CLI expects it of HEROKU_HOST.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

Json = Any
MADE = "2026-01-05T09:34:43Z"
TOKEN = "HRKU-01234567-dead-beef-0000-000000000000"


def ident(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


class _Refused(Exception):
    def __init__(self, status: int, kind: str, message: str, resource: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"id": kind, "message": message} | ({"resource": resource} if resource else {})


class HerokuApp:
    """One app, whose parts are as the API shows them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.own = {"id": ident(name), "name": name}
        self.maintenance = False
        self.acm = False
        self.stack = "heroku-24"
        self.config: dict[str, str] = {
            "RAILS_ENV": "production",
            "DATABASE_URL": "postgres://u:canary-of-config@db.example/shop?sslmode=require",
        }
        self.formation: dict[str, dict[str, Any]] = {}
        self.set_formation("web", 1, "Standard-1X")
        self.set_formation("worker", 1, "Standard-1X")
        self.domains: dict[str, dict[str, Any]] = {}
        self.releases: list[dict[str, Any]] = []
        self.slugs: dict[str, str] = {}
        self.addons: list[dict[str, Any]] = []
        self.databases: dict[str, dict[str, Any]] = {}
        self.attachments: dict[str, str] = {}
        #: Has each database a name of its own besides DATABASE?
        self.aliased = True
        self.restarts = 0
        self.updated_at = MADE
        self.buildpacks = ["heroku/ruby"]
        self.endpoints: list[Json] = []
        self.generation = "cedar"
        self.space: str | None = None
        self.stage: str | None = None
        self.backups = [("DATABASE", "2026-02-28 02:03:04 +0000")]
        for number in (40, 41):
            self.release(number, f"{number:040x}")

    def set_formation(self, kind: str, quantity: int, size: str) -> None:
        self.formation[kind] = {"quantity": quantity, "size": size}

    def release(self, version: int, commit: str, status: str = "succeeded") -> None:
        """One that failed does not run."""
        slug = ident(f"{self.name} slug {commit}")
        self.slugs[slug] = commit
        for one in self.releases:
            one["current"] = one["current"] and status != "succeeded"
        self.releases.append(
            {
                "id": ident(f"{self.name} release {version}"),
                "version": version,
                "status": status,
                "current": status == "succeeded",
                "description": f"Deploy {commit[:8]}",
                "user": {"id": ident("me"), "email": "me@shop.example"},
                "slug": None if self.generation == "fir" else {"id": slug},
                "artifacts": [{"id": slug, "type": "oci-image" if self.generation == "fir" else "slug"}],
                "addon_plan_names": [],
                "app": self.own,
                "created_at": MADE,
                "updated_at": MADE,
                "output_stream_url": None,
                "eligible_for_rollback": True,
            }
        )

    def released(self) -> None:
        """The same code with other config variables or add-ons is a release of its own."""
        newest = self.releases[-1]
        self.release(newest["version"] + 1, self.slugs[newest["artifacts"][0]["id"]])

    def set_config(self, **values: str) -> None:
        self.config.update(values)
        self.released()

    def attach(self, hostname: str) -> dict[str, Any]:
        """ACM waits until the name leads here."""
        self.domains[hostname] = {
            "id": ident(f"{self.name} domain {hostname}"),
            "hostname": hostname,
            "cname": f"{ident(hostname)[:13]}.herokudns.com",
            "kind": "custom",
            "status": "succeeded",
            "acm_status": "cert issued" if self.acm else None,
            "acm_status_reason": None,
            "app": self.own,
            "sni_endpoint": None,
            "created_at": MADE,
            "updated_at": MADE,
        }
        return self.domains[hostname]

    def add_database(self, name: str, follows: str = "", behind: str = "0 commits", plan: str = "standard-0") -> None:
        key = ident(name)
        named = {"id": ident(plan), "name": f"heroku-postgresql:{plan}"}
        self.addons.append(
            {
                "id": key,
                "name": name,
                "actions": [],
                "addon_service": {"id": ident("pg"), "name": "heroku-postgresql"},
                "billing_entity": {"id": self.own["id"], "name": self.name, "type": "app"},
                "app": self.own,
                "billed_price": None,
                "config_vars": ["DATABASE_URL"] if not self.addons else [f"{name.upper().replace('-', '_')}_URL"],
                "created_at": MADE,
                "updated_at": MADE,
                "plan": named,
                "provider_id": "1",
                "provision_message": "",
                "state": "provisioned",
                "web_url": None,
            }
        )
        self.databases[key] = {"name": name, "follows": follows, "behind": behind, "status": "Available"}
        self.databases[key] |= {"advanced": plan.startswith("advanced"), "pools": ["leader", "analytics"]}

    def attached(self) -> list[Json]:
        """Each database under a name of its own, and the one that is DATABASE."""
        own = {f"HEROKU_POSTGRESQL_{number}": one["id"] for number, one in enumerate(self.addons) if self.aliased}
        first = {"DATABASE": self.addons[0]["id"]} if self.addons else {}
        by_id = {one["id"]: one for one in self.addons}
        return [
            {
                "id": ident(f"{self.name} {name}"),
                "name": name,
                "namespace": None,
                "app": self.own,
                "addon": {"id": key, "name": by_id[key]["name"], "app": self.own, "plan": by_id[key]["plan"]},
                "config_vars": [f"{name}_URL"],
                "created_at": MADE,
                "updated_at": MADE,
                "web_url": None,
                "log_input_url": None,
            }
            for name, key in {**own, **first, **self.attachments}.items()
        ]

    def state(self) -> str:
        """All that an operation may change; of releases, what runs. As text, which is quicker made than a copy."""
        return json.dumps(
            [
                *(self.maintenance, self.acm, self.formation, sorted(self.domains), self.config),
                *(self.databases, self.attachments, self.releases[-1]["artifacts"]),
            ]
        )

    def shown(self) -> Json:
        stack = {"id": ident(self.stack), "name": self.stack}
        return {
            **self.own,
            "acm": self.acm,
            "archived_at": None,
            "buildpack_provided_description": "Ruby",
            "build_stack": stack,
            "created_at": MADE,
            "generation": {"id": ident(self.generation), "name": self.generation},
            "git_url": f"https://git.heroku.com/{self.name}.git",
            "internal_routing": None,
            "maintenance": self.maintenance,
            "owner": {"id": ident("me"), "email": "me@shop.example"},
            "organization": None,
            "team": None,
            "region": {"id": ident("eu"), "name": "eu"},
            "released_at": MADE,
            "repo_size": 0,
            "slug_size": 1000,
            "space": None if self.space is None else {"id": ident(self.space), "name": self.space, "shield": False},
            "stack": stack,
            "updated_at": self.updated_at,
            "web_url": f"https://{self.name}-1234.herokuapp.com/",
        }


class HerokuSimulator(HttpSimulator):
    """Some apps of one account. `scope` is what its token may do."""

    def __init__(self, names: tuple[str, ...] = ("shop-prod", "shop-old")) -> None:
        super().__init__()
        self.apps = {name: HerokuApp(name) for name in names}
        self.scope = "write-protected"
        self.remaining = 4500
        self.page = 1000

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        told = [("Content-Type", "application/json"), ("Request-Id", ident(str(len(self.requests))))]
        self.remaining = max(0, self.remaining - 1)
        told.append(("RateLimit-Remaining", str(self.remaining)))
        before = {name: app.state() for name, app in self.apps.items()}
        try:
            if headers.get("authorization") != f"Bearer {TOKEN}":
                raise _Refused(401, "unauthorized", "Invalid credentials provided.")
            if self.remaining == 0:
                raise _Refused(429, "rate_limit", "Your account reached the API rate limit")
            path = [unquote(part) for part in urlsplit(target).path.strip("/").split("/")]
            asked = json.loads(body) if body else {}
            status, found = self._routed(method, path, asked)
        except _Refused as refused:
            return Answer(refused.status, told, json.dumps(refused.body).encode())
        if path[-1] == "addon-attachments" and "addon:plan" not in headers.get("accept-inclusion", ""):
            for one in found if isinstance(found, list) else ():
                del one["addon"]["plan"]
        assert method != "GET" or before == {name: app.state() for name, app in self.apps.items()}
        if method == "GET" and isinstance(found, list):
            status, found = self._cut(found, headers.get("range", ""), told, path[-1])
        content = json.dumps(found).encode()
        tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        told.append(("ETag", tag))
        if method == "GET" and headers.get("if-none-match") == tag:
            return Answer(304, told, b"")
        return Answer(status, told, content)

    def _cut(self, found: list[Json], asked: str, told: list[tuple[str, str]], kind: str) -> tuple[int, list[Json]]:
        """Ranges (platform-api-reference#ranges): by a key, from a value on, so many at most."""
        if "order=desc" in asked:
            found = found[::-1]
        key, _, options = asked.partition(";")
        start = key.partition(" ")[2].partition("..")[0].strip("] ")
        names = [str(one.get("name", one.get("hostname", one.get("id", "")))) for one in found]
        first = names.index(start) if start in names else 0
        said = re.search(r"\bmax=(\d+)", options)
        most = min(int(said[1]) if said else 200, self.page)
        rest = found[first : first + most]
        if first + most < len(found) and "order=desc" not in asked:
            told.append(("Next-Range", f"name {names[first + most]}..; max={most}"))
            return 206, rest
        return 200 if len(rest) == len(found) else 206, rest

    def _routed(self, method: str, path: list[str], asked: Json) -> tuple[int, Json]:
        if method != "GET" and self.scope == "read-protected":
            raise _Refused(403, "forbidden", "You do not have access to this resource.")
        match method, path:
            case "GET", ["account"]:
                return 200, {"id": ident("me"), "email": "me@shop.example", "name": "Me", "verified": True}
            case "GET", ["apps"]:
                return 200, [app.shown() for app in self.apps.values()]
            case "GET", ["addon-attachments"]:
                return 200, [one for app in self.apps.values() for one in app.attached()]
            case "GET", ["stacks"]:
                names = {"heroku-22": "deprecated", "heroku-24": "public"}
                return 200, [
                    {"id": ident(n), "name": n, "state": s, "default": False, "created_at": MADE, "updated_at": MADE}
                    for n, s in names.items()
                ]
            case _, ["apps", name, *rest]:
                return self._app(method, self._of(name), rest, asked)
            case "GET", ["client", "v11", "apps", name, "transfers"]:
                return 200, [
                    {"uuid": ident(f"b{number}"), "from_type": "pg_dump", "to_type": "gof3r", "succeeded": True,
                     "finished_at": at, "from_name": of, "num": number}
                    for number, (of, at) in enumerate(self._of(name).backups)
                ]  # fmt: skip
            case _, ["client", "v11", "databases", key, *rest]:
                return self._database(method, key, rest)
            case "POST", ["actions", "addons", "resolve"]:
                every = [one for app in self.apps.values() for one in app.addons]
                return 200, [one for one in every if asked["addon"] in (one["name"], one["id"])]
            case "GET", ["addons", key, "addon-attachments"]:
                every = [one for app in self.apps.values() for one in app.attached()]
                return 200, [one for one in every if one["addon"]["id"] == key]
            case "GET", ["data", "postgres", "v1", key, "info"]:
                return self._cluster(key)
            case "POST", ["addon-attachments"]:
                app = self._of(asked["app"])
                key = next((one["id"] for one in app.addons if asked["addon"] in (one["name"], one["id"])), None)
                if key is None:
                    raise _Refused(404, "not_found", "Couldn't find that add on.", "add_on")
                name = asked.get("name", f"HEROKU_POSTGRESQL_ALIAS_{len(app.attachments)}")
                held = {one["name"]: one["addon"]["id"] for one in app.attached()}
                if name in held and list(held.values()).count(held[name]) == 1:
                    raise _Refused(422, "invalid_params", f"{name} is the last attachment of its add-on.")
                app.attachments[name] = key
                app.released()
                return 201, {"id": ident("a"), "name": name, "app": app.own}
        raise _Refused(404, "not_found", "The requested API endpoint was not found.")

    def _of(self, name: str) -> HerokuApp:
        found = next((app for app in self.apps.values() if name in (app.name, app.own["id"])), None)
        if found is None:
            raise _Refused(404, "not_found", "Couldn't find that app.", "app")
        return found

    def _app(self, method: str, app: HerokuApp, rest: list[str], asked: Json) -> tuple[int, Json]:
        match method, rest:
            case "GET", []:
                return 200, app.shown()
            case "PATCH", []:
                app.maintenance = asked["maintenance"]
                return 200, app.shown()
            case "GET", ["formation"]:
                return 200, [self._formation(app, kind) for kind in app.formation]
            case "PATCH", ["formation", kind]:
                return 200, self._scaled(app, kind, asked)
            case "PATCH", ["formation"]:
                return 200, [self._scaled(app, one["type"], one) for one in asked["updates"]]
            case "GET", ["dynos"]:
                return 200, [
                    self._dyno(app, kind, number)
                    for kind, one in app.formation.items()
                    for number in range(1, one["quantity"] + 1)
                ]
            case "DELETE", ["dynos"]:
                app.restarts += 1
                return 202, {}
            case "GET", ["config-vars"]:
                if self.scope == "read":
                    raise _Refused(403, "forbidden", "You do not have access to this resource.")
                return 200, app.config
            case "PATCH", ["config-vars"]:
                for name, value in asked.items():
                    app.config.pop(name, None) if value is None else app.config.__setitem__(name, value)
                app.released()
                return 200, app.config
            case "GET", ["domains"]:
                own = {**app.attach("x"), "hostname": f"{app.name}-1234.herokuapp.com", "kind": "heroku", "cname": None}
                app.domains.pop("x")
                return 200, [own, *app.domains.values()]
            case "POST", ["domains"]:
                if asked["hostname"] in app.domains:
                    raise _Refused(422, "invalid_params", f"{asked['hostname']} is currently in use by another app.")
                return 201, app.attach(asked["hostname"])
            case "DELETE", ["domains", hostname]:
                if hostname not in app.domains:
                    raise _Refused(404, "not_found", "Couldn't find that domain name.", "domain")
                return 200, app.domains.pop(hostname)
            case "POST", ["acm"]:
                app.acm = True
                for one in app.domains.values():
                    one["acm_status"] = "cert issued"
                return 200, app.shown()
            case "DELETE", ["acm"]:
                app.acm = False
                for one in app.domains.values():
                    one["acm_status"] = None
                return 200, app.shown()
            case "GET", ["releases"]:
                return 200, app.releases
            case "GET", ["releases", which]:
                found = next((r for r in app.releases if which in (r["id"], str(r["version"]))), None)
                if found is None:
                    raise _Refused(404, "not_found", "Couldn't find that release.", "release")
                return 200, found
            case "POST", ["releases"]:
                old = next((r for r in app.releases if asked["release"] == r["id"]), None)
                if old is None:
                    raise _Refused(404, "not_found", "Couldn't find that release.", "release")
                app.release(app.releases[-1]["version"] + 1, app.slugs[old["artifacts"][0]["id"]])
                return 201, app.releases[-1]
            case "GET", ["slugs", key] if key in app.slugs:
                return 200, {
                    "id": key,
                    "commit": app.slugs[key],
                    "blob": {"method": "get", "url": "https://blobs.example/x"},
                    "buildpack_provided_description": "Ruby",
                    "checksum": None,
                    "commit_description": None,
                    "created_at": MADE,
                    "updated_at": MADE,
                    "process_types": {"web": "bundle exec puma"},
                    "size": 1000,
                    "stack": {"id": ident(app.stack), "name": app.stack},
                }
            case "GET", ["oci-images", key] if app.generation == "fir" and key in app.slugs:
                return 200, [
                    {
                        "id": key,
                        "architecture": "arm64",
                        "base_image_name": "heroku/heroku:24-cnb",
                        "base_top_layer": "sha256:ea36ae5f",
                        "buildpacks": [{"id": "heroku/python", "version": "1.0.0", "homepage": "https://x.example"}],
                        "commit": app.slugs[key],
                        "commit_description": "",
                        "created_at": MADE,
                        "digest": "sha256:dc14ae5f",
                        "image_repo": "d7ba1ace/builds",
                        "process_types": {},
                        "stack": {"id": ident("cnb"), "name": "cnb"},
                        "updated_at": MADE,
                    }
                ]
            case "GET", ["pipeline-couplings"] if app.stage is not None:
                return 200, {
                    "id": ident(f"{app.name} coupling"),
                    "app": {"id": app.own["id"]},
                    "pipeline": {"id": ident("pipeline")},
                    "stage": app.stage,
                    "created_at": MADE,
                    "updated_at": MADE,
                }
            case "GET", ["addons"]:
                return 200, app.addons
            case "GET", ["buildpack-installations"]:
                return 200, [
                    {"ordinal": number, "buildpack": {"url": f"urn:buildpack:{name}", "name": name}}
                    for number, name in enumerate(app.buildpacks)
                ]
            case "GET", ["addon-attachments"]:
                return 200, app.attached()
            case "GET", ["sni-endpoints"]:
                return 200, app.endpoints
            case "GET", ["collaborators"]:
                return 200, []
        raise _Refused(404, "not_found", "The requested API endpoint was not found.")

    def _scaled(self, app: HerokuApp, kind: str, asked: Json) -> Json:
        if kind not in app.formation:
            raise _Refused(404, "not_found", "Couldn't find that process type.", "formation")
        quantity = int(asked["quantity"])
        if quantity > 100:
            raise _Refused(422, "invalid_params", "Cannot scale to more than 100 dynos.")
        app.formation[kind]["quantity"] = quantity
        return self._formation(app, kind)

    def _formation(self, app: HerokuApp, kind: str) -> Json:
        one = app.formation[kind]
        return {
            "id": ident(f"{app.name} {kind}"),
            "type": kind,
            "quantity": one["quantity"],
            "size": one["size"],
            "dyno_size": {"id": ident(one["size"]), "name": one["size"]},
            "command": "bundle exec puma",
            "app": app.own,
            "created_at": MADE,
            "updated_at": MADE,
        }

    def _dyno(self, app: HerokuApp, kind: str, number: int) -> Json:
        release = app.releases[-1]
        return {
            "id": ident(f"{app.name} {kind}.{number}"),
            "name": f"{kind}.{number}",
            "type": kind,
            "state": "up",
            "size": app.formation[kind]["size"],
            "command": "bundle exec puma",
            "attach_url": None,
            "app": app.own,
            "release": {"id": release["id"], "version": release["version"]},
            "created_at": MADE,
            "updated_at": MADE,
        }

    def _database(self, method: str, key: str, rest: list[str]) -> tuple[int, Json]:
        found = next((app.databases[key] for app in self.apps.values() if key in app.databases), None)
        if found is None or found["advanced"]:
            raise _Refused(404, "not_found", "Couldn't find that database.")
        if method == "PUT" and rest == ["unfollow"]:
            found["follows"] = ""
            return 200, {"message": "Database is unfollowing"}
        if method == "GET" and not rest:
            lines = {"Plan": "Standard 0", "Status": found["status"], "PG Version": "16.4"}
            if found["follows"]:
                lines |= {"Following": found["follows"], "Behind By": found["behind"]}
            return 200, {
                "name": found["name"],
                "addon": {"id": key, "name": found["name"]},
                "waiting?": found["status"] != "Available",
                "info": [{"name": name, "values": [value]} for name, value in lines.items()],
            }
        raise _Refused(404, "not_found", "The requested API endpoint was not found.")

    def _cluster(self, key: str) -> tuple[int, Json]:
        """As Heroku's CLI has it (dist/lib/data/types.d.ts, InfoResponse), in part."""
        found = next((app.databases[key] for app in self.apps.values() if key in app.databases), None)
        if found is None or not found["advanced"]:
            raise _Refused(404, "not_found", "Couldn't find that database.")
        ready = found["status"] == "Available"
        waits = {"message": None if ready else found["status"], "waiting": not ready}
        return 200, {
            "addon": {"id": key, "name": found["name"]},
            "app": {"id": ident("shop-prod"), "name": "shop-prod"},
            "tier": "advanced",
            "version": "17.5",
            "status": "available" if ready else "modifying",
            "created_at": MADE,
            "features": {"rollback": {"enabled": True, "earliest_time": MADE, "latest_time": MADE}},
            "forked_from": None,
            "plan_limits": [],
            "quotas": [],
            "region": "eu",
            "pools": [
                {
                    "id": ident(name),
                    "name": name,
                    "status": "available",
                    "connections_used": 1,
                    "expected_connection_limit": 400,
                    "expected_count": 2,
                    "expected_level": "4G-Performance",
                    "compute_instances": [],
                    "endpoints": [],
                    "wait_status": waits,
                }
                for name in found["pools"]
            ],
        }
