"""Facts of a proposal that are out of proportion: to each other, to the field, to the time that is left.

A unit that was forgotten, or a question that the race does not ask, shows in them. Nothing here is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from difprog.beliefs.doubts import Doubt, Lookup
from difprog.beliefs.elicit import spoken
from difprog.beliefs.project import Project
from difprog.race.parameters import PARAMETERS, Group, Parameter

#: What an FTE-year costs at least and at most, USD: grants that ship lie between 17,000 and a million.
#: Judgement: far enough from both that what lies outside is more likely a unit that was forgotten.
CHEAPEST, DEAREST = 1e3, 1e7

#: Kind of project → the belief about how many people are in the field that it joins, and what that is called.
FIELDS = {
    "capabilities": ("capability_researchers", "work at the frontier"),
    "alignment": ("researchers", "are in the whole field"),
    "field-building": ("researchers", "are in the whole field"),
}


def of_facts(
    project: Project, lookup: Lookup, vocabulary: Mapping[str, Parameter], arrival: float | None = None
) -> Iterator[Doubt]:
    """Yield what is out of proportion.

    Parameters
    ----------
    project : Project
        The proposal.
    lookup : callable
        From a name to the belief in force, the proposal's own among them.
    vocabulary : mapping of str to Parameter
        The names that beliefs may have.
    arrival : float, optional
        The even chance of AGI as used, years; that of the belief in force where left out.
    """

    def middle(name: str) -> float | None:
        belief = lookup(name)
        return None if belief is None else belief.shape.percentile(0.5)

    def told(name: str, value: float) -> str:
        return spoken(value, PARAMETERS[name])

    effort, start, duration, cost = (middle(name) for name in ("effort", "start", "duration", "cost"))
    arrival = middle("agi_arrival") if arrival is None else arrival
    if duration is not None and arrival is not None and (start or 0.0) + duration > arrival:
        when = f"({told('agi_arrival', arrival)})"
        if start:
            long = f"a duration of {told('duration', duration)} (medians)"
            said = f"a start in {told('start', start)} and {long}, past the even chance of AGI {when}"
        else:
            said = f"a duration ({told('duration', duration)}, median) past the even chance of AGI {when}"
        yield Doubt("start, duration, agi_arrival" if start else "duration, agi_arrival", said, "duration")
    if start:
        effects = [
            name for name, cases in project.layer.beliefs.items()
            if name in vocabulary and vocabulary[name].group is Group.EFFECT
            and any(case.shape.percentile(0.5) for case in cases.values())
        ]  # fmt: skip
        effects += [name for review in project.reviews for name in review.effects]
        if effects:
            later = f"a start in {told('start', start)}"
            said = f"stated outright, so that it holds whole: {later} changes nothing"
            yield Doubt(", ".join(dict.fromkeys(effects)), said, "start")
    if effort and duration:
        field, where = FIELDS.get(project.facts["kind"], ("", ""))
        there = middle(field) if field else None
        if there is not None and effort / duration > there:
            team = f"{effort / duration:,.0f} people at a time (effort over duration, medians)"
            yield Doubt("effort", f"{team}, more than {where} ({told(field, there)})", "team")
    if effort and cost and not CHEAPEST <= cost / effort <= DEAREST:
        said = f"{told('cost', cost / effort)} for an FTE-year (medians): is the amount right"
        yield Doubt("cost, effort", said, "price")
    nobody, draws_in = lookup("effort"), lookup("hype_leverage")
    if cost and draws_in is not None and nobody is not None and nobody.shape.percentile(0.95) == 0:
        said = "nobody works on it: what it does, its cost does, by the investment in AI that it draws in"
        yield Doubt("effort", said, "nobody")
