"""The practice ground's control API: what runs is told and changed, over HTTP on this computer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from changeover.lab.app import AppSettings, LabApp
from changeover.lab.control import Control


@pytest.fixture
def apps(tmp_path: Path) -> dict[str, LabApp]:
    return {name: LabApp(name, tmp_path, ("www.shop.example",)) for name in ("primary", "backup")}


@pytest.fixture
async def client(apps: dict[str, LabApp]) -> AsyncIterator[httpx.AsyncClient]:
    async with Control(apps).serving() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as made:
        yield made


async def test_what_runs(client: httpx.AsyncClient, apps: dict[str, LabApp]) -> None:
    """Each app with its own release; of a broken one nothing runs."""
    both = (await client.get("/apps")).json()["apps"]
    assert [(app["name"], app["release"], app["wanted"], app["running"]) for app in both] == [
        ("primary", "v42", 1, 1),
        ("backup", "v41", 1, 1),
    ]
    apps["backup"].broken_file.parent.mkdir()
    apps["backup"].broken_file.touch()
    one = (await client.get("/apps/backup")).json()
    assert (one["wanted"], one["running"], one["maintenance"]) == (1, 0, False)


async def test_what_is_asked_for_is_kept(client: httpx.AsyncClient, apps: dict[str, LabApp], tmp_path: Path) -> None:
    """What is not named stays; it is there after a restart as well."""
    assert (await client.patch("/apps/primary", json={"instances": 3})).json()["wanted"] == 3
    assert (await client.patch("/apps/primary", json={"maintenance": True})).status_code == 200
    assert LabApp("primary", tmp_path).settings == AppSettings(instances=3, maintenance=True)
    assert apps["backup"].settings == AppSettings()


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"instances": -1}', b'{"instances": "2"}', b'{"colour": 1}'])
async def test_what_makes_no_sense_changes_nothing(
    client: httpx.AsyncClient, apps: dict[str, LabApp], body: bytes
) -> None:
    """And is told what is wrong."""
    answer = await client.patch("/apps/primary", content=body)
    assert (answer.status_code, bool(answer.json()["error"])) == (422, True)
    assert apps["primary"].settings == AppSettings()


async def test_other_requests(client: httpx.AsyncClient) -> None:
    """Other paths are not there, and an app is not deleted."""
    for path in ("/", "/apps/third", "/apps/primary/x", "/apps/"):
        assert (await client.get(path)).status_code == 404
    assert (await client.delete("/apps/primary")).status_code == 405


async def test_a_file_that_somebody_spoilt_begins_anew(apps: dict[str, LabApp], tmp_path: Path) -> None:
    """The practice ground is there to be played with."""
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "primary.json").write_text("{")
    assert apps["primary"].settings == AppSettings()
