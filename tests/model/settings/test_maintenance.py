"""Maintenance windows, by the clocks of the places that they are meant for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.model.settings.maintenance import DAYS, Maintenance, maintenance_end

ZONES = ["UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def once(date: str, at: str, minutes: int, zone: str) -> Maintenance:
    return Maintenance(date=date, at=at, minutes=minutes, zone=zone)


def weekly(days: str, at: str, minutes: int, zone: str) -> Maintenance:
    found = tuple(day for day in DAYS if day[:3] in days.split())
    return Maintenance(days=found, at=at, minutes=minutes, zone=zone)


#: A window, and when it begins and ends by the clock of the world. In 2026 summer time is from 29 March to 25 October
#: in Vienna, from 8 March to 1 November in New York.
WINDOWS = {
    "once in UTC": (once("2026-12-01", "02:30", 60, "UTC"), "2026-12-01 02:30", "2026-12-01 03:30"),
    "once in Vienna, winter": (
        once("2026-12-01", "02:30", 60, "Europe/Vienna"),
        "2026-12-01 01:30",
        "2026-12-01 02:30",
    ),
    "once in Vienna, summer": (
        once("2026-07-01", "02:30", 60, "Europe/Vienna"),
        "2026-07-01 00:30",
        "2026-07-01 01:30",
    ),
    "once in New York, winter": (
        once("2026-12-01", "22:00", 180, "America/New_York"),
        "2026-12-02 03:00",
        "2026-12-02 06:00",
    ),
    "once in Kolkata, at half hours": (
        once("2026-12-01", "00:00", 30, "Asia/Kolkata"),
        "2026-11-30 18:30",
        "2026-11-30 19:00",
    ),
    "once across midnight": (
        once("2026-12-31", "23:30", 60, "Europe/Vienna"),
        "2026-12-31 22:30",
        "2026-12-31 23:30",
    ),
    "once for three days": (once("2026-12-01", "00:00", 3 * 1440, "UTC"), "2026-12-01 00:00", "2026-12-04 00:00"),
    "Vienna, over the hour that is left out": (
        once("2026-03-29", "01:30", 60, "Europe/Vienna"),
        "2026-03-29 00:30",
        "2026-03-29 01:30",
    ),
    "Vienna, in the hour that is left out: as if the clock had not been set": (
        once("2026-03-29", "02:30", 60, "Europe/Vienna"),
        "2026-03-29 01:30",
        "2026-03-29 02:30",
    ),
    "Vienna, in the hour that comes twice: the first": (
        once("2026-10-25", "02:30", 60, "Europe/Vienna"),
        "2026-10-25 00:30",
        "2026-10-25 01:30",
    ),
    "New York, in the hour that is left out: as if the clock had not been set": (
        once("2026-03-08", "02:30", 30, "America/New_York"),
        "2026-03-08 07:30",
        "2026-03-08 08:00",
    ),
    "New York, in the hour that comes twice: the first": (
        once("2026-11-01", "01:30", 90, "America/New_York"),
        "2026-11-01 05:30",
        "2026-11-01 07:00",
    ),
    "every Sunday in Vienna, before summer time": (
        weekly("sun", "03:00", 60, "Europe/Vienna"),
        "2026-03-22 02:00",
        "2026-03-22 03:00",
    ),
    "every Sunday in Vienna, the day of summer time": (
        weekly("sun", "03:00", 60, "Europe/Vienna"),
        "2026-03-29 01:00",
        "2026-03-29 02:00",
    ),
    "every Sunday in Vienna, the day of winter time": (
        weekly("sun", "03:00", 60, "Europe/Vienna"),
        "2026-10-25 02:00",
        "2026-10-25 03:00",
    ),
    "every Sunday in New York, the day of summer time": (
        weekly("sun", "03:00", 60, "America/New_York"),
        "2026-03-08 07:00",
        "2026-03-08 08:00",
    ),
    "every Sunday in New York, the day of winter time": (
        weekly("sun", "03:00", 60, "America/New_York"),
        "2026-11-01 08:00",
        "2026-11-01 09:00",
    ),
    "every Saturday across midnight": (
        weekly("sat", "23:30", 60, "Europe/Vienna"),
        "2026-12-05 22:30",
        "2026-12-05 23:30",
    ),
    "every Friday for two days": (weekly("fri", "20:00", 2880, "UTC"), "2026-12-04 20:00", "2026-12-06 20:00"),
    "Monday in Auckland is Sunday in UTC": (
        weekly("mon", "08:00", 60, "Pacific/Auckland"),
        "2026-12-06 19:00",
        "2026-12-06 20:00",
    ),
    "Sunday evening in New York is Monday in UTC": (
        weekly("sun", "22:00", 60, "America/New_York"),
        "2026-12-07 03:00",
        "2026-12-07 04:00",
    ),
    "almost a day that the local clock makes longer ends two dates later": (
        weekly("sat", "23:59", 1439, "Europe/Vienna"),
        "2026-03-28 22:59",
        "2026-03-29 22:58",
    ),
}


@pytest.mark.parametrize(
    ("window", "begin", "end"), list(WINDOWS.values()), ids=[name.replace(" ", "-") for name in WINDOWS]
)
def test_window(window: Maintenance, begin: str, end: str) -> None:
    """It has begun at its first moment, and is over at its end; in between it ends then."""
    first, over = utc(begin), utc(end)
    moment = timedelta(seconds=1)
    assert window.end(first - moment) is None
    assert window.end(first) == over
    assert window.end(first + (over - first) / 2) == over
    assert window.end(over - moment) == over
    assert window.end(over) is None


def test_the_zone_of_the_clock_that_asks_does_not_matter() -> None:
    """The same moment, told in another zone."""
    window = weekly("sun", "03:00", 60, "Europe/Vienna")
    now = utc("2026-10-25 02:10")
    assert {window.end(now.astimezone(ZoneInfo(zone))) for zone in ZONES} == {utc("2026-10-25 03:00")}


def test_several_days_of_the_week() -> None:
    """On each of them, and on no other."""
    window = weekly("mon wed", "02:00", 60, "UTC")
    noon = utc("2026-11-30 02:30")  # a Monday
    assert [window.end(noon + timedelta(days=n)) is not None for n in range(8)] == [n in (0, 2, 7) for n in range(8)]


def test_windows_that_overlap_end_with_the_last() -> None:
    """Of one service's windows, or of one that is longer than the time to its next."""
    now = utc("2026-12-01 02:45")
    windows = [once("2026-12-01", "02:30", 60, "UTC"), once("2026-12-01", "02:00", 240, "UTC")]
    assert maintenance_end(windows, "primary", now) == utc("2026-12-01 06:00")
    daily = weekly("mon tue wed thu fri sat sun", "00:00", 1500, "UTC")
    assert daily.end(utc("2026-12-01 00:30")) == utc("2026-12-02 01:00")


def test_a_window_may_be_for_one_deployment() -> None:
    """Of others it says nothing; none named means all."""
    now = utc("2026-12-01 02:45")
    window = Maintenance(date="2026-12-01", at="02:30", minutes=60, deployments=("backup",))
    assert maintenance_end([window], "backup", now) == utc("2026-12-01 03:30")
    assert maintenance_end([window], "primary", now) is None
    assert maintenance_end([], "primary", now) is None


windows = st.builds(
    Maintenance,
    at=st.times().map(lambda time: time.strftime("%H:%M")),
    minutes=st.integers(1, 8 * 1440),
    zone=st.sampled_from(ZONES),
    date=st.none() | st.dates(datetime(2026, 1, 1).date(), datetime(2026, 12, 31).date()).map(str),
    days=st.sets(st.sampled_from(DAYS), min_size=1).map(tuple),
)
#: Around every change to and from summer time as well as anywhere in the year.
moments = st.one_of(
    st.datetimes(datetime(2025, 12, 20), datetime(2027, 1, 10)),
    *(
        st.integers(-4 * 1440, 4 * 1440).map(lambda n, day=day: datetime(2026, *day) + timedelta(minutes=n))
        for day in [(3, 8), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1)]
    ),
).map(lambda found: found.replace(tzinfo=UTC))


def begins(window: Maintenance) -> list[datetime]:
    """Every beginning in some years, counted forward from day to day."""
    days = (datetime(2025, 12, 1) + timedelta(days=n) for n in range(420))
    wanted = [
        day
        for day in days
        if (str(day.date()) == window.date if window.date is not None else DAYS[day.weekday()] in window.days)
    ]
    hour, minute = map(int, window.at.split(":"))
    return [day.replace(hour=hour, minute=minute, tzinfo=ZoneInfo(window.zone)).astimezone(UTC) for day in wanted]


@settings(max_examples=300)
@given(windows, moments)
def test_it_is_in_a_window_that_has_begun_and_is_not_over(window: Maintenance, now: datetime) -> None:
    """And in none only where every beginning is still to come, or its time is over."""
    lasts = timedelta(minutes=window.minutes)
    end = window.end(now)
    running = [begin for begin in begins(window) if begin <= now < begin + lasts]
    assert end == (max(running) + lasts if running else None)
    if end is not None:
        assert end > now
        assert end - lasts <= now
