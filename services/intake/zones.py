"""Time zones as people look for them, and the country that a number without a country code is read in."""

from functools import cache
from zoneinfo import available_timezones

from babel.core import get_global


@cache
def zones() -> dict[str, str]:
    """Zone -> country code: those that belong to one country, without old names for the same place."""
    known = available_timezones()
    return {
        zone: land
        for zone, land in sorted(get_global("zone_territories").items())
        if land != "001" and "/" in zone and zone in known and not zone.startswith("Etc/")
    }


@cache
def by_region() -> dict[str, list[tuple[str, str]]]:
    """Region -> (zone, place)."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for zone in zones():
        region, place = zone.split("/", 1)
        regions.setdefault(region, []).append((zone, place.replace("_", " ").replace("/", ", ")))
    return regions


def region_of(zone: str) -> str:
    return zones().get(zone, "US")
