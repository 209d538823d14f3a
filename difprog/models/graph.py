"""What reads what in a model: found by building its graph in PyTensor, not by listing it."""

from __future__ import annotations

from difprog.models.model import Model
from difprog.race.effects import Facts
from difprog.race.parameters import Group
from difprog.race.race import Effects


def reads(model: Model, facts: Facts | None = None) -> dict[str, tuple[str, ...]]:
    """Return, for each effect that the model can have and for the chance of success, its inputs.

    Parameters
    ----------
    model : Model
        The reading.
    facts : Facts, optional
        The facts of the project; an alignment project that meets all four criteria by default,
        so that no mechanism is switched off by a fact.

    Returns
    -------
    dict of str to tuple of str
        Effect → names of the beliefs it depends on, and ``p_success`` → beliefs about the
        world. Effects that nothing in this model moves are left out.
    """
    import pytensor.tensor as pt
    from pytensor.graph.traversal import ancestors

    from difprog.race.arrays import pytensor_namespace
    from difprog.race.effects import CRITERIA

    facts = facts or Facts(criteria=frozenset(CRITERIA))
    stated_only = {*Effects._fields, "relevance", "coupling"}
    symbols = {
        name: pt.dscalar(name)
        for name in model.reads
        if name not in stated_only
    }
    chances = model.chances(facts, symbols, pytensor_namespace())
    order = list(model.vocabulary)

    def inputs(value: object) -> tuple[str, ...]:
        if not hasattr(value, "owner"):
            return ()
        found = {v.name for v in ancestors([value]) if v.name in symbols}
        return tuple(sorted(found, key=order.index))

    outcome = chances.outcome
    effects = {name: inputs(getattr(outcome.if_hit, name)) for name in Effects._fields}
    found = {name: names for name, names in effects.items() if names and _moved(model, name)}
    found["hit_probability"] = inputs(outcome.hit_probability) or ("hit_probability",)
    # Symbols for the effects: what counts only together with one is read all the same.
    some = Effects(**{n: pt.dscalar(f"effect of {n}") for n in Effects._fields if _moved(model, n)})
    found["p_success"] = inputs(model.success(model.world(symbols), some, pytensor_namespace()))
    return found


def _moved(model: Model, effect: str) -> bool:
    """Whether a model can give an effect any value but its neutral one."""
    parameter = model.vocabulary[effect]
    return parameter.base or effect in model.opens


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
