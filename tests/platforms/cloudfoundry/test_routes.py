"""Maintenance by a route: exact there and back, whatever the route leads to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from changeover.platforms.cloudfoundry.resources import CfDestination, CfOfApp, CfOfProcess
from changeover.platforms.cloudfoundry.routes import in_maintenance, with_page, without_app, without_page

PAGE = "page"
kinds = st.sampled_from(["web", "worker", "held-web", "held-held-web", ""])
apps = st.builds(CfOfApp, st.sampled_from(["app", "green", PAGE]), st.builds(CfOfProcess, kinds))
destinations = st.lists(
    st.builds(CfDestination, apps, st.sampled_from([None, 8080, 9090]), st.sampled_from([None, "http1", "http2"])),
    min_size=1,
    max_size=5,
    unique=True,
).map(tuple)


@given(destinations)
def test_there_and_back_is_exact(leads: tuple[CfDestination, ...]) -> None:
    """And doing either twice is as doing it once."""
    there = with_page(leads, PAGE)
    assert in_maintenance(there, PAGE)
    assert with_page(there, PAGE) == there
    if not in_maintenance(leads, PAGE):
        assert without_page(there, PAGE) == leads
        assert without_page(leads, PAGE) == leads


@given(destinations)
def test_in_maintenance_only_the_page_is_visited(leads: tuple[CfDestination, ...]) -> None:
    """Everything else stands under a name that no process has."""
    there = with_page(leads, PAGE)
    assert {one.app.guid for one in there if not one.app.process.type.startswith("held-")} == {PAGE}


@given(destinations)
def test_a_route_without_the_app(leads: tuple[CfDestination, ...]) -> None:
    """The app is gone from it; the page does not stay alone."""
    left = without_app(with_page(leads, PAGE), "app", PAGE)
    assert all(one.app.guid != "app" for one in left)
    assert left == () or in_maintenance(left, PAGE)
