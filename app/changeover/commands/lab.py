"""`lab`: the practice ground."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from changeover.commands.session import DONE, command, debugging, json_option, print_json, say

if TYPE_CHECKING:
    from changeover.lab.ground import PracticeGround
    from changeover.switchboard import Switchboard

_home_option = click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Where it keeps its files; a folder of its own."
)


@click.group(invoke_without_command=True)
@click.option("--headless", is_flag=True, help="No window: print one JSON line when all is up, and run until stopped.")
@_home_option
@json_option
@click.pass_context
def lab(context: click.Context, headless: bool, home: Path | None, as_json: bool) -> None:
    """Open the practice ground: a service with a backup, on this computer only, to break and to switch."""
    context.obj = home
    if context.invoked_subcommand is None:
        _open(headless=headless, home=home, as_json=as_json)


@command
def _open(*, headless: bool, home: Path | None, as_json: bool) -> int:
    from changeover.lab.ground import PracticeGround, default_home

    folder = home or default_home()
    if headless:
        asyncio.run(_run_headless(folder))
        return DONE
    from changeover.desktop.application import open_desktop
    from changeover.storage.home import Home
    from changeover.storage.log import start_log
    from changeover.switchboard import Switchboard

    @asynccontextmanager
    async def on_the_ground() -> AsyncIterator[tuple[Switchboard, PracticeGround | None]]:
        async with PracticeGround.started(folder) as ground:
            if as_json:
                _tell(ground)
            home = Home.at(folder)
            start_log(home.log_file, debugging())
            board = Switchboard(home)
            try:
                yield board, ground
            finally:
                await board.aclose()

    return open_desktop(on_the_ground)


async def _run_headless(folder: Path) -> None:
    from changeover.lab.ground import PracticeGround

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupt(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    async with PracticeGround.started(folder) as ground:
        _tell(ground)
        await stop.wait()


def _tell(ground: PracticeGround) -> None:
    """Where everything is, as one line of JSON."""
    found = {
        "home": str(ground.home),
        "service": ground.service,
        "deployments": ground.deployments,
        "dns": ground.dns,
        "resolver": ground.resolver,
        "ca_file": str(ground.ca_file),
    }
    print_json(found, compact=True)
    sys.stdout.flush()


def _change(name: str, home: Path | None, broken: bool, as_json: bool) -> int:
    from changeover.lab.ground import break_deployment, default_home, mend_deployment

    folder = home or click.get_current_context().obj or default_home()
    if broken:
        break_deployment(folder, name)
    else:
        mend_deployment(folder, name)
    if as_json:
        print_json({"deployment": name, "broken": broken})
    say(f"{name} {'answers 503 from now on' if broken else 'answers well again'}.")
    return DONE


@lab.command("break")
@click.argument("deployment")
@_home_option
@json_option
@command
def break_(deployment: str, home: Path | None, as_json: bool) -> int:
    """Break a deployment of the running practice ground."""
    return _change(deployment, home, True, as_json)


@lab.command()
@click.argument("deployment")
@_home_option
@json_option
@command
def mend(deployment: str, home: Path | None, as_json: bool) -> int:
    """Mend a deployment of the running practice ground."""
    return _change(deployment, home, False, as_json)
