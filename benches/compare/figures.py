"""Pure arithmetic on what was measured: percentiles, medians over rounds, ratios within a round, bars reached or missed.

A measurement is a dict as results.json has it. One that failed counts in nothing but its own failure.
"""

import math
from statistics import median


def percentile(values, share):
    """The smallest value that at least `share` of the values do not exceed; `None` of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def of(measurements, situation, peer):
    """A peer's measurements in a situation, failed ones too, by round."""
    found = [one for one in measurements if one["situation"] == situation and one["peer"] == peer]
    return sorted(found, key=lambda one: one["round"])


def by_round(measurements, situation, peer, figure):
    """A figure of a peer for each round in which it has one."""
    found = of(measurements, situation, peer)
    return {one["round"]: one[figure] for one in found if not one.get("failure") and one.get(figure) is not None}


def middle(measurements, situation, peer, figure):
    """The median over the rounds; `None` if there is no round."""
    values = list(by_round(measurements, situation, peer, figure).values())
    return median(values) if values else None


def ratio(measurements, situation, peer, other, figure):
    """The median of the rounds' ratios: a drift of the machine hits both sides of each."""
    mine = by_round(measurements, situation, peer, figure)
    others = by_round(measurements, situation, other, figure)
    ratios = [value / others[at] for at, value in mine.items() if others.get(at)]
    return median(ratios) if ratios else None


def failures(measurements, situation, peer):
    """What went wrong, once each."""
    return sorted({one["failure"] for one in of(measurements, situation, peer) if one.get("failure")})


def held(bar, results):
    """A bar against the figures: (figure, limit, reached); the figure or `reached` is `None` where it can't be told."""
    measurements = results["measurements"]
    if bar.syncs:
        value = middle(measurements, bar.situation, bar.peer, bar.figure)
        other = middle(measurements, bar.situation, bar.against, bar.figure)
        syncs = results.get("sync_us") or []
        if value is None or other is None or not syncs:
            return value, None, None
        limit = other + bar.syncs * median(syncs)
    elif bar.against:
        value, limit = ratio(measurements, bar.situation, bar.peer, bar.against, bar.figure), bar.limit
    else:
        value, limit = middle(measurements, bar.situation, bar.peer, bar.figure), bar.limit
    if value is None:
        return None, limit, None
    return value, limit, value >= limit if bar.at_least else value <= limit
