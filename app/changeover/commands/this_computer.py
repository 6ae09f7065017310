"""`flush-dns` and `open`: past what this computer itself still believes after a switch."""

from __future__ import annotations

import click

from changeover.commands.session import DONE, FAILED, CommandSession, command, json_option, print_json, say, show
from changeover.local_dns.command_lines import curl_arguments, web_address
from changeover.model.errors import UsageError
from changeover.model.foreign_text import quoted

_BROWSERS_OWN = "Browsers keep names of their own for a minute or so: close them, or open a private window."


@click.command("flush-dns")
@json_option
@command
def flush_dns(as_json: bool) -> int:
    """Make this computer forget the names that it looked up, and say what to type where that needs more rights."""
    import asyncio

    from changeover.local_dns.execute import flush_names

    found = asyncio.run(flush_names())
    if as_json:
        caches = [{"cache": f.cache, "done": f.done, "text": f.text, "command": f.typed or None} for f in found]
        print_json({"caches": caches})
    for flushed in found:
        say(f"{flushed.text}.")
        if flushed.typed:
            say(f"Type: {flushed.typed}")
    if not found:
        say("No cache of names was found on this computer that could be emptied.")
    say(_BROWSERS_OWN)
    return DONE if all(f.done for f in found) else FAILED


@click.command()
@click.argument("service")
@click.option("--at", "at", required=True, metavar="DEPLOYMENT", help="The deployment to look at.")
@click.option("--hostname", metavar="NAME", help="Instead of the service's first.")
@click.option("--no-browser", is_flag=True, help="Only print what to type.")
@json_option
@command
def open(service: str, at: str, hostname: str | None, no_browser: bool, as_json: bool) -> int:
    """Open a service at one of its deployments, whatever the DNS says."""
    from changeover.local_dns.execute import addresses_at, open_browser

    with CommandSession() as session:
        board = session.switchboard
        found = board.service(service)
        deployment = found.deployment(at)
        if deployment is None:
            known = ", ".join(d.name for d in found.deployments)
            raise UsageError(f"Service {service} has no deployment {at}", f"Deployments: {known}")
        name = hostname or found.hostnames[0]
        if name not in found.hostnames:
            raise UsageError(f"{name} is no hostname of {service}", f"Hostnames: {', '.join(found.hostnames)}")
        address = session.run(addresses_at(deployment, name, board.lookup))[0]
    check = found.health
    scheme, port = ("https", 443) if check.scheme == "tcp" else (check.scheme, check.tcp_port)
    url = web_address(scheme, name, port)
    typed = " ".join(map(quoted, curl_arguments(url, name, port, address, check.ca_file)))
    browser = None if no_browser else open_browser(url, name, address)
    if as_json:
        print_json({"url": url, "hostname": name, "address": address, "curl": typed, "browser": browser})
    else:
        show(typed)
    if browser is not None:
        say(f"{browser} opens {url} at {address}, with a profile of its own.")
    elif not no_browser:
        say("No browser was found that can be sent to an address: that takes Chromium, Chrome, Edge or Brave.")
    return DONE
