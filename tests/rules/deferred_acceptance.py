"""Deferred acceptance (Gale and Shapley 1962), as in the textbook: what rules.stable_match is held against."""

from bisect import insort
from collections.abc import Iterable, Mapping

from services.matching.rules import Waiting


def deferred_acceptance(waiting: Iterable[Waiting], free: Mapping[str, int]) -> dict[str, str]:
    """Everyone proposes to the most preferred practitioner who has not refused them; a practitioner keeps those with the highest
    priority and refuses the others, until nobody proposes any more."""
    kept: dict[str, list[tuple[tuple[object, ...], Waiting]]] = {id: [] for id, places in free.items() if places > 0}
    proposing = [(person, 0) for person in waiting]
    proposed_up_to: dict[str, int] = {}
    while proposing:
        person, rank = proposing.pop()
        if rank >= len(person.ranking):
            continue
        proposed_up_to[person.request_id] = rank
        practitioner_id = person.ranking[rank]
        if practitioner_id not in kept:
            proposing.append((person, rank + 1))
            continue
        insort(kept[practitioner_id], (person.priority, person), key=lambda each: each[0])
        if len(kept[practitioner_id]) > free[practitioner_id]:
            _, refused = kept[practitioner_id].pop()
            proposing.append((refused, proposed_up_to[refused.request_id] + 1))
    return {person.request_id: id for id, people in kept.items() for _, person in people}
