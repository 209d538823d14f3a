"""A graph as plain NumPy calls: made in milliseconds, and run with nothing between the calls.

PyTensor's own linkers either take seconds to compile (Numba, C) or spend more time around a NumPy
call than in it (measured on the race: 22 µs a node). Here a graph becomes the Python text of one
function, a line for each node. What stands twice is computed once, what hangs on constants only
is computed beforehand, and an array that nobody reads any more takes the next result. A node that
is no ufunc runs as PyTensor runs it, so that any graph is understood.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np

#: Whether each axis of an array is known to be of length 1; None where nothing is known.
Ones = tuple[bool, ...] | None


class Lowered:
    """A function of arrays that gives the values of a graph's outputs.

    Parameters
    ----------
    inputs : dict of str to Variable
        Name → the node of the graph that it stands in for, anywhere in the graph; what is given for
        it is of the node's type.
    outputs : sequence of Variable
        What is wanted.
    ones : dict of str to tuple of bool or None
        Input → whether each of its axes is of length 1; None where nothing is known. No other axis
        is of length 1, but where all that stand at its place are.

    Attributes
    ----------
    reads : tuple of str
        The inputs that the outputs hang on.
    ones : tuple of tuple of bool or None
        Whether each axis of each output is of length 1; None where nothing is known.
    """

    def __init__(
        self, inputs: Mapping[str, Any], outputs: Sequence[Any], ones: Mapping[str, Ones]
    ) -> None:
        text = _Text(inputs, ones)
        found = [text.name_of(node) for node in outputs]
        self.reads = tuple(name for name in inputs if name in text.read)
        self.ones = tuple(text.ones_of(name) for name in found)
        self._call = text.function([text.read[name] for name in self.reads], found)

    def __call__(self, given: Mapping[str, Any]) -> list[Any]:
        """Return the outputs' values, given those of the inputs, of which all in `reads` are needed."""
        found: list[Any] = self._call(*(given[name] for name in self.reads))
        return found


class _Text:
    """The lines of a function as they are written."""

    def __init__(self, inputs: Mapping[str, Any], ones: Mapping[str, Ones]) -> None:
        self._stands_for = {node: name for name, node in inputs.items()}
        self._given_ones = ones
        self.read: dict[str, str] = {}
        self._names: dict[Any, str] = {}
        self._same: dict[Hashable, str] = {}
        self._globals: dict[str, Any] = {}
        self._constants: dict[str, Any] = {}
        self._lines: list[tuple[str, Any, tuple[str, ...]]] = []
        self._ones: dict[str, Ones] = {}
        self._types: dict[str, Any] = {}

    def name_of(self, wanted: Any) -> str:
        """Return the name of a node's value in the function, after writing all that it takes."""
        waiting = [wanted]
        while waiting:
            node = waiting[-1]
            if node in self._names:
                waiting.pop()
            elif node in self._stands_for:
                self._names[node] = self._input(node)
            elif node.owner is None:
                self._names[node] = self._constant(node.data, (node.type, node.signature()))
            elif missing := [i for i in node.owner.inputs if i not in self._names]:
                waiting.extend(missing)
            else:
                self._write(node.owner)
        return self._names[wanted]

    def ones_of(self, name: str) -> Ones:
        """Return whether each axis of a value is of length 1."""
        return self._ones[name]

    def _input(self, node: Any) -> str:
        name = self._stands_for[node]
        self.read[name] = own = f"i{len(self.read)}"
        self._ones[own], self._types[own] = self._given_ones.get(name), node.type.dtype
        return own

    def _constant(self, value: Any, key: Hashable) -> str:
        if key not in self._same:
            self._same[key] = name = f"c{len(self._constants)}"
            self._constants[name] = self._globals[name] = value
            self._ones[name] = tuple(size == 1 for size in np.shape(value))
            self._types[name] = getattr(value, "dtype", None)
        return self._same[key]

    def _write(self, node: Any) -> None:
        """Write the line of one node."""
        arguments = tuple(self._names[i] for i in node.inputs)
        key = node.op, arguments
        names = [f"v{len(self._lines)}" if len(node.outputs) == 1 else f"v{len(self._lines)}_{i}"
                 for i in range(len(node.outputs))]  # fmt: skip
        if len(names) == 1 and key in self._same:
            self._names[node.outputs[0]] = self._same[key]
            return
        call = _plain(node)
        if all(name in self._constants for name in arguments):
            with np.errstate(all="ignore"):
                values = (call or _generic(node))(*(self._constants[n] for n in arguments))
            for own, value in zip(node.outputs, values if len(names) > 1 else [values], strict=True):
                self._names[own] = self._constant(value, (key, own.index))
            return
        for own, name in zip(node.outputs, names, strict=True):
            self._names[own], self._types[name] = name, own.type.dtype
            self._ones[name] = None if call is None else _together([self._ones[n] for n in arguments])
        if len(names) == 1:
            self._same[key] = names[0]
        self._lines.append((", ".join(names), call or _generic(node), arguments))

    def function(self, parameters: Iterable[str], results: Sequence[str]) -> Callable[..., Any]:
        """Return the function."""
        left = Counter(name for _, _, arguments in self._lines for name in set(arguments))
        left.update(results)
        body: list[str] = []
        fresh: set[str] = set()
        for i, (target, call, arguments) in enumerate(self._lines):
            self._globals[f"f{i}"] = call
            left.subtract(set(arguments))
            over = [name for name in dict.fromkeys(arguments) if name.startswith("v") and not left[name]]
            takes = ""
            if isinstance(call, np.ufunc):
                at_hand = (n for n in over if n in fresh and self._alike(n, target))
                takes = next((f", out={name}" for name in at_hand), "")
            if isinstance(call, np.ufunc) or call is np.where:
                fresh.add(target)
            body.append(f"{target} = f{i}({', '.join(arguments)}{takes})")
            if over:
                body.append(f"del {', '.join(over)}")
        body.append(f"return [{', '.join(results)}]")
        text = f"def lowered({', '.join(parameters)}):\n    " + "\n    ".join(body)
        exec(compile(text, "<graph>", "exec"), self._globals)  # noqa: S102 - no word in it is a user's
        found: Callable[..., Any] = self._globals["lowered"]
        return found

    def _alike(self, one: str, two: str) -> bool:
        """Whether two arrays are of one shape and type."""
        shape = self._ones[one]
        return bool(shape) and shape == self._ones[two] and self._types[one] == self._types[two]


def _together(ones: Sequence[Ones]) -> Ones:
    """Return which axes are of length 1 in what arrays broadcast to."""
    known = [one for one in ones if one is not None]
    if len(known) < len(ones) or len({len(one) for one in known}) > 1:
        return None
    return tuple(all(axis) for axis in zip(*known, strict=True))


def _plain(node: Any) -> Callable[..., Any] | None:
    """Return what an elementwise node does as a function of arrays, if NumPy or SciPy has it."""
    from pytensor.scalar import Add, Mul, Second
    from pytensor.tensor.elemwise import Elemwise

    op, takes = node.op, len(node.inputs)
    if not isinstance(op, Elemwise) or op.inplace_pattern:
        return None
    if isinstance(op.scalar_op, Second):
        return _filled if node.inputs[1].type.dtype == node.outputs[0].type.dtype else None
    op.prepare_node(node, None, None, "py")  # looks up the name of the function
    found = op.nfunc
    if not (isinstance(found, np.ufunc) or found is np.where) or op.nfunc_spec[2] != 1:
        return None
    # NumPy decides in which precision it computes by the arguments, PyTensor by the node.
    samples = [np.ones((1,) * i.type.ndim, dtype=i.type.dtype) for i in node.inputs]
    if isinstance(op.scalar_op, Add | Mul) and takes > 2:
        found = partial(_folded, found)
    elif op.nfunc_spec[1] != takes:
        return None
    with np.errstate(all="ignore"):
        given = found(*samples).dtype
    if given != node.outputs[0].type.dtype:
        return None
    checked: Callable[..., Any] = found
    return checked


def _filled(like: Any, value: Any) -> Any:
    """Return a value in the shape that it has beside another."""
    return np.broadcast_to(value, np.broadcast_shapes(np.shape(like), np.shape(value)))


def _folded(binary: Callable[[Any, Any], Any], *arrays: Any) -> Any:
    """Return what a function of two makes of many, from the left."""
    return reduce(binary, arrays)


def _generic(node: Any) -> Callable[..., Any]:
    """Return a function that does what a node does, as PyTensor does it."""
    count = len(node.outputs)

    def perform(*arrays: Any) -> Any:
        cells: list[list[Any]] = [[None] for _ in range(count)]
        # A ufunc gives a scalar where its arguments have no axes.
        node.op.perform(node, [np.asarray(a) if isinstance(a, np.generic) else a for a in arrays], cells)
        found = [cell[0] for cell in cells]
        return found[0] if count == 1 else found

    return perform
