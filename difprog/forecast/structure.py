"""What reads what in a model: found in its graph, not listed. Imports PyTensor when used."""

from __future__ import annotations

from difprog.beliefs.beliefs import Belief
from difprog.beliefs.distributions import Point
from difprog.forecast.graph import build
from difprog.forecast.question import Question, View
from difprog.models.model import Model
from difprog.race.parameters import CRITERIA, FACTS, Group


def reads(model: Model) -> dict[str, tuple[str, ...]]:
    """Return, for each effect that the model can have and for the chance of success, its inputs.

    The project is an alignment project that meets all four criteria, so that no mechanism is
    switched off by a fact.

    Returns
    -------
    dict of str to tuple of str
        Effect → names of the beliefs it depends on, and ``p_success`` → beliefs about the
        world. Effects that nothing in this model moves are left out.
    """
    from pytensor.graph.traversal import ancestors

    facts = {fact: values[0] for fact, values in FACTS.items()}
    names = [n for n in model.reads if not Question((View(model, {}),), facts).stated(n)]
    beliefs = {n: Belief(n, Point(0.5), layer="symbol") for n in names}
    question = Question((View(model, beliefs),), facts, frozenset(CRITERIA))
    (part,) = build(question).parts
    assert part.outcome is not None
    order = list(model.vocabulary)
    label = {node: name for name, node in part.inputs.items()}

    def inputs(value: object, *blockers: object) -> tuple[str, ...]:
        if not hasattr(value, "owner"):
            return ()
        found = {label[v] for v in ancestors([value], [*label, *blockers]) if v in label}
        return tuple(sorted(found, key=order.index))

    effects = {name: inputs(getattr(part.outcome.if_hit, name)) for name in model.effects}
    found = {name: read for name, read in effects.items() if read}
    found["hit_probability"] = inputs(part.outcome.hit_probability) or ("hit_probability",)
    found["p_success"] = inputs(part.race, *part.given.values())
    return found


def mermaid(model: Model) -> str:
    """Return the model's graph as a Mermaid flowchart: facts and beliefs → effects → success."""
    found = reads(model)
    vocabulary = model.vocabulary
    lines = ["flowchart LR"]
    used = dict.fromkeys(name for names in found.values() for name in names)
    for group in Group:
        members = [n for n in used if vocabulary[n].group is group]
        if members:
            lines.append(f'  subgraph {group.name.lower()}["{group.value}"]')
            lines += [f"    {name}" for name in members]
            lines.append("  end")
    for effect, names in found.items():
        if effect == "hit_probability":
            continue
        if effect != "p_success":
            lines.append(f'  e_{effect}(["{effect}"])')
        target = "p_success" if effect == "p_success" else f"e_{effect}"
        lines += [f"  {name} --> {target}" for name in names]
        if effect != "p_success":
            lines.append(f"  e_{effect} --> p_success")
    lines.append("  hit_probability -.-> p_success")
    lines.append('  p_success{{"P(success) with and without"}} --> net_effect')
    opened = [n for n in used if n in model.opens]
    if opened:
        lines.append("  classDef opened stroke-width:3px")
        lines.append(f"  class {','.join(opened)} opened")
    return "\n".join(lines)
