"""Services that go before others: the front never moves before what stands behind it."""

from __future__ import annotations

from shop import Shop

API = """
[[services]]
name = "api"
hostnames = ["api.shop.example"]
dns = [{{ account = "dns-main", zone = "shop.example" }}]
health = {{ scheme = "tcp", port = {port}, interval = 1 }}

[[services.deployments]]
name = "primary"
answer = {{ a = ["127.0.0.2"] }}

[[services.deployments]]
name = "backup"
answer = {{ a = ["127.0.0.3"] }}

[lookup]"""


def test_what_stands_behind_goes_first(shop: Shop) -> None:
    """The shop waits for its API: refused before, and allowed after that was switched."""
    text = shop.home.settings_file.read_text()
    text = text.replace("[lookup]", API.format(port=shop.web.port))
    shop.home.settings_file.write_text(text.replace('name = "shop"\n', 'name = "shop"\nafter = ["api"]\n'))
    shop.bind.change(add=["api 60 A 127.0.0.2"])
    refused = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    (order,) = [f for f in refused["findings"] if f["check"] == "order"]
    assert (order["level"], order["overridable"]) == ("block", True)
    assert order["text"] == "api goes before shop, and is still on primary"
    assert order["fix"] == "Switch it first: changeover switch api --to backup"
    shop.json("switch", "api", "--to", "backup", "--yes")
    assert shop.json("switch", "shop", "--to", "backup", "--yes")["outcome"] == "completed"


def test_an_order_that_makes_no_sense_is_a_fault(shop: Shop) -> None:
    """A service that is not there, itself, or a second level."""
    text = shop.home.settings_file.read_text()
    for wrong in ("nobody", "shop"):
        shop.home.settings_file.write_text(text.replace('name = "shop"\n', f'name = "shop"\nafter = ["{wrong}"]\n'))
        ended = shop.run("status")
        assert ended.returncode == 2
        assert f'services.shop.after: there is no other service "{wrong}"' in ended.stderr
