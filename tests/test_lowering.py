"""A graph as NumPy calls: the values that PyTensor gives, with nothing that was given changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.forecast.compiled import mode
from difprog.forecast.lowering import Lowered

#: The inputs of every graph here: a matrix, a row, a column, a scalar, and a mask.
SHAPES = {"full": (3, 5), "row": (1, 5), "column": (3, 1), "scalar": (), "mask": (3, 1)}

#: What can stand in a graph, and how many nodes it takes.
UNARY = (pt.exp, pt.log, pt.expm1, pt.log1p, pt.neg, pt.erfc, pt.sigmoid, pt.round, pt.sqr)
BINARY = (pt.add, pt.sub, pt.mul, pt.true_div, pt.pow, pt.minimum, pt.maximum)


def inputs() -> dict[str, Any]:
    """Return a node for every input."""
    return {
        name: pt.tensor(
            name, dtype="bool" if name == "mask" else "float64",
            shape=tuple(1 if size == 1 else None for size in shape),
        )
        for name, shape in SHAPES.items()
    }  # fmt: skip


ONES = {name: tuple(size == 1 for size in shape) for name, shape in SHAPES.items()}


def arrays(seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {name: np.asarray(rng.normal(size=shape)) for name, shape in SHAPES.items()}
    found["mask"] = found["mask"] > 0
    return found


def by_pytensor(nodes: dict[str, Any], outputs: Sequence[Any], values: dict[str, Any]) -> list[Any]:
    run = pytensor.function(
        list(nodes.values()), list(outputs), mode=mode(), on_unused_input="ignore", accept_inplace=True
    )
    with np.errstate(all="ignore"):
        return list(run(*(values[name] for name in nodes)))


def lowered(nodes: dict[str, Any], outputs: Sequence[Any], values: dict[str, Any]) -> list[Any]:
    with np.errstate(all="ignore"):
        return Lowered(nodes, outputs, ONES)(values)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_graph_has_the_values_that_pytensor_gives_it_to_the_bit(data: st.DataObject) -> None:
    nodes = inputs()
    floats = [node for name, node in nodes.items() if name != "mask"]
    made = [*floats, pt.constant(2.5), pt.constant(np.array([[0.5], [-1.0], [3.0]]))]
    for _ in range(data.draw(st.integers(1, 14))):
        one, two = data.draw(st.sampled_from(made)), data.draw(st.sampled_from(made))
        match data.draw(st.sampled_from(["unary", "binary", "switch", "fill", "power of a sum"])):
            case "unary":
                made.append(data.draw(st.sampled_from(UNARY))(one))
            case "binary":
                made.append(data.draw(st.sampled_from(BINARY))(one, two))
            case "switch":
                test = data.draw(st.sampled_from([nodes["mask"], pt.gt(one, 0.0), pt.eq(one, two)]))
                made.append(pt.switch(test, one, two))
            case "fill":
                made.append(pt.fill(one + two, two))
            case _:
                made.append(pt.add(one, two, made[0]) ** 2)
    outputs = data.draw(st.lists(st.sampled_from(made[len(floats) :]), min_size=1, max_size=3))
    values = arrays(data.draw(st.integers(0, 5)))
    before = {name: value.copy() for name, value in values.items()}
    got, want = lowered(nodes, outputs, values), by_pytensor(nodes, outputs, values)
    for one, two in zip(got, want, strict=True):
        np.testing.assert_array_equal(one, two)
        assert np.asarray(one).dtype == two.dtype
    for name, value in values.items():
        np.testing.assert_array_equal(value, before[name])


def test_what_is_no_ufunc_runs_as_pytensor_runs_it() -> None:
    nodes = inputs()
    full, scalar = nodes["full"], nodes["scalar"]
    outputs = [
        pt.clip(full, -0.5, 0.5), full[:, 1:3], pt.concatenate([full, full * scalar], axis=1),
        pt.stack([scalar, scalar + 1.0]), full.sum(axis=1), pt.sort(full, axis=1), pt.cast(full, "int64"),
        pt.exp(pt.cast(full, "int8")),  # NumPy would give it in half precision
    ]  # fmt: skip
    values = arrays()
    for one, two in zip(
        lowered(nodes, outputs, values), by_pytensor(nodes, outputs, values), strict=True
    ):
        np.testing.assert_array_equal(one, two)
        assert one.dtype == two.dtype


def test_only_what_is_needed_is_read() -> None:
    nodes = inputs()
    run = Lowered(nodes, [nodes["row"] * 2.0], ONES)
    assert run.reads == ("row",)
    np.testing.assert_array_equal(run({"row": np.ones((1, 5))})[0], np.full((1, 5), 2.0))


def test_a_node_within_the_graph_can_be_given() -> None:
    """Draws stand in for nodes that have another number of columns in the graph."""
    drawn = pt.dvector("drawn")[:, None] * 3.0
    run = Lowered({"value": drawn}, [pt.exp(drawn) + drawn], {"value": (False, False)})
    value = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(run({"value": value})[0], np.exp(value) + value)


def test_what_stands_twice_is_computed_once_and_constants_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    from difprog.forecast import lowering

    written: list[str] = []
    real = compile

    def noted(text: str, *rest: Any) -> Any:
        written.append(text)
        return real(text, *rest)

    monkeypatch.setattr(lowering, "compile", noted, raising=False)
    nodes = inputs()
    full = nodes["full"]
    lowered(nodes, [pt.exp(full) + pt.exp(full) * pt.exp(pt.constant(1.0) + 2.0)], arrays())
    (text,) = written
    assert text.count("= f") == 3, "one exp, one product, one sum"
