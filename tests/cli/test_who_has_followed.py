"""`changeover propagation`: who still has the old answer, by command."""

from __future__ import annotations

import json
from pathlib import Path

from dns_servers.unbound import Unbound
from shop import WWW, Shop


def through(shop: Shop, *resolvers: str) -> None:
    text = shop.home.settings_file.read_text()
    listed = ", ".join(f'"{resolver}"' for resolver in resolvers)
    old = f'resolvers = ["{shop.bind.server}"]'
    assert old in text
    shop.home.settings_file.write_text(text.replace(old, f"resolvers = [{listed}]"))


def test_who_has_followed(shop: Shop, tmp_path: Path) -> None:
    """A row for each resolver and hostname, as a table and as JSON, with what the records' TTLs promise."""
    with Unbound(tmp_path, shop.bind.server) as resolver:
        through(shop, resolver.server)
        before = shop.json("propagation", "shop")
        assert before["followed"] is True
        assert {(r["resolver"], r["over"], r["hostname"]) for r in before["resolvers"]} == {
            (resolver.server, "udp", name) for name in ("www.shop.example", "shop.example")
        }
        assert before["cache_time"]["seconds"] == 60
        shop.bind.change(delete=["www CNAME"], add=["www 60 A 127.0.0.3"])
        after = shop.json("propagation", "shop")
        (www,) = [r for r in after["resolvers"] if r["hostname"] == "www.shop.example"]
        assert (www["followed"], after["followed"], www["error"]) == (False, False, None)
        assert www["follows_at"] == after["last_follows_at"]
        ended = shop.run("propagation", "shop")
    assert ended.returncode == 0
    assert "CNAME edge-primary.shop.example" in ended.stdout
    assert "1 resolver has not followed yet; the last resolver follows at " in ended.stderr
    assert "Resolvers may keep the old answer for 1 min: " in ended.stderr


def test_watching_until_all_have_followed(shop: Shop, tmp_path: Path) -> None:
    """Every change is told, and when the last one has followed the command ends by itself."""
    shop.bind.change(delete=["www CNAME"], add=["www 3600 CNAME edge-primary"])
    with Unbound(tmp_path, shop.bind.server) as resolver:
        through(shop, resolver.server)
        shop.json("propagation", "shop")
        shop.bind.change(delete=["www CNAME"], add=["www 60 A 127.0.0.3"])
        with shop.start("propagation", "shop", "--watch", "--json") as watching:
            assert watching.stdout is not None
            told = [watching.stdout.readline()]
            resolver.forget(WWW)
            told += watching.communicate(timeout=120)[0].splitlines()
    assert watching.returncode == 0
    assert [json.loads(line)["followed"] for line in told] == [False, True]


def test_an_unknown_service(shop: Shop) -> None:
    """Is a wrong use."""
    assert shop.json("propagation", "nothing", status=2)["error"]["kind"] == "usage"
