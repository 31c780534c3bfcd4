"""Where minutes, hours and days begin and end in a time zone. Instants are Unix seconds throughout."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from ..errors import PhizError
from .totals import DAY, HOUR, MINUTE


class Calendar:
    """Periods of a time zone: an IANA name such as Europe/Berlin, or "" for this machine's own.

    An hour begins at the full hour of the zone's clock; the hour that a clock shows twice in autumn is two
    hours, and days then have 23 or 25. Raises PhizError for an unknown zone.
    """

    def __init__(self, zone: str = "") -> None:
        self.zone: tzinfo | None = None
        if zone:
            try:
                self.zone = ZoneInfo(zone)
            except (OSError, ValueError, LookupError) as error:
                raise PhizError(
                    f"time zone {zone!r}: expected a name such as Europe/Berlin or UTC; "
                    "where this machine has no time zones, pip install tzdata"
                ) from error

    def local(self, instant: float) -> datetime:
        """Return an instant as the zone's date and time, with its offset from UTC."""
        return datetime.fromtimestamp(instant, timezone.utc).astimezone(self.zone)

    def instant(self, moment: datetime) -> int:
        """Return a date and time as an instant; one without an offset is taken in the zone."""
        if moment.tzinfo is None and self.zone is not None:
            moment = moment.replace(tzinfo=self.zone)
        return int(moment.timestamp())

    def start(self, instant: float, period: str) -> int:
        """Return when the minute, hour or day that holds an instant begins."""
        local = self.local(instant)
        if period == DAY:
            return self._midnight(local.date())
        whole = int(instant // 1)
        if period == HOUR:
            return whole - 60 * local.minute - local.second
        assert period == MINUTE
        return whole - local.second

    def end(self, start: int, period: str) -> int:
        """Return when a period ends that begins at `start`."""
        if period == DAY:
            return self._midnight(self.local(start).date() + timedelta(days=1))
        return start + (3600 if period == HOUR else 60)

    def _midnight(self, day: date) -> int:
        return self.instant(datetime(day.year, day.month, day.day))


def machine_zone() -> str:
    """Return the IANA name of this machine's time zone; "" where it does not tell."""
    name = os.environ.get("TZ", "").lstrip(":")
    name = name or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    try:
        return ZoneInfo(name).key if name else ""
    except (OSError, ValueError, LookupError):
        return ""
