"""A folder of proposals, a list of files or a CSV table → the rows of a portfolio.

A row's content is what a proposal file would hold, and it becomes a project by the same code:
a table cannot mean something else than a file. Reads files; knows no model and draws nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from difprog.base import files, limits
from difprog.base.errors import BadInput, Problem, Problems, nearest, plain
from difprog.beliefs.project import PROJECT_KEYS, Project, parse_project
from difprog.race.parameters import FACT_OF, PARAMETERS, Group, Parameter

_TEXTS = ("name", "summary", "source", "note")

#: Rows that repeat another, of which each is said.
MOST_REPEATED = 10


@dataclass(frozen=True)
class Row:
    """One proposal of a portfolio, not yet checked.

    Attributes
    ----------
    number : int
        Counted from 1, in the order of the table or of the files.
    where : str
        What to call it in messages.
    source : Source
        The file it stands in.
    content : dict or None
        What a proposal file would hold; None where it stands in a file of its own that has not
        been read yet.
    extra : dict of str to str
        Free columns.
    problems : tuple of Problem
        Why it cannot be read.
    """

    number: int
    where: str
    source: files.Source
    content: Mapping[str, Any] | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of all that the row says."""
        said = [self.number, self.where, self.content or self.source.sha256, self.extra,
                [str(p) for p in self.problems]]  # fmt: skip
        text = json.dumps(said, sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def name(self) -> str:
        """What it calls itself, or where it stands if it does not say."""
        table = (self.content or {}).get("project")
        name = table.get("name") if isinstance(table, Mapping) else None
        return str(name) if name else self.where

    def loaded(self) -> Row:
        """Return the row with its content, read from its own file where it has one."""
        if self.content is not None or self.problems:
            return self
        try:
            content, _ = files.read_toml(self.source.path, self.where)
        except BadInput as error:
            return replace(self, problems=error.problems)
        return replace(self, content=content)

    def project(self, vocabulary: Mapping[str, Parameter] = PARAMETERS) -> Project:
        """Return the project that a loaded row states.

        Raises
        ------
        BadInput
            With every problem of the row.
        """
        if self.problems:
            raise BadInput(*self.problems)
        problems = Problems(self.where)
        project = parse_project(self.content or {}, self.source, problems, vocabulary)
        problems.check()
        assert project is not None
        return project


@dataclass(frozen=True)
class Portfolio:
    """All rows, and where they stand."""

    rows: tuple[Row, ...]
    paths: tuple[Path, ...]

    def repeated(self) -> list[str]:
        """Return in words which rows say the same: a stack of proposals easily holds one twice."""
        alike: dict[str, list[Row]] = {}
        for row in self.rows:
            alike.setdefault(row.source.sha256 if row.content is None else row.name, []).append(row)
        found: list[str] = []
        for rows in alike.values():
            first: dict[str, Row] = {}
            for row in rows if len(rows) > 1 else ():
                earlier = first.setdefault(json.dumps(row.content, sort_keys=True, default=str), row)
                if earlier is not row:
                    found.append(f"{row.where}: the same as {earlier.where}, and counted once more")
        if len(found) > MOST_REPEATED:
            found[MOST_REPEATED:] = [f"and {len(found) - MOST_REPEATED:,} more rows like that"]
        return found


def read_portfolio(
    names: Sequence[str],
    vocabulary: Mapping[str, Parameter] = PARAMETERS,
    *,
    keep: Sequence[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> Portfolio:
    """Find the rows that paths or bare names mean.

    Parameters
    ----------
    names : sequence of str
        Tables (``*.csv``), folders (their ``*.toml``, in order of name), proposal files, or bare
        names of proposals and of portfolios.
    vocabulary : mapping of str to Parameter
        The beliefs that a table may have columns for.
    keep : sequence of str
        Columns that are carried through although they look like a misspelt key or belief.
    renamed : mapping of str to str, optional
        Column → the key or belief that it holds.

    Raises
    ------
    BadInput
        Where there is nothing to read. A row that cannot be read is no such thing: it carries
        its problems.
    """
    rows: list[Row] = []
    paths: list[Path] = []
    problems: list[Problem] = []
    renamed, heads = renamed or {}, list[str]()
    for name in names:
        path = Path(name)
        try:
            if path.suffix.lower() in (".csv", ".tsv"):
                rows += _table(path, name, vocabulary, keep, renamed, heads)
            elif _is_folder(name):
                inside = sorted(path.glob("*.toml"))
                if not inside:
                    raise BadInput(Problem(name, "", "holds no proposal (*.toml)"))
                rows += [_file(each, str(each)) for each in inside]
            elif (table := _named_table(name)) is not None:
                path = table
                rows += _table(path, path.name, vocabulary, keep, renamed, heads)
            else:
                path = _proposal(name)
                rows.append(_file(path, name if files.is_path(name) else path.name))
        except BadInput as error:
            problems += error.problems
        paths.append(path)
    problems += [
        *_absent("--column", renamed, heads),
        *_absent("--keep", keep, heads),
    ]
    if problems:
        raise BadInput(*problems)
    limits.ROWS.check(len(rows), "rank")
    numbered = (replace(row, number=at) for at, row in enumerate(rows, 1))
    return Portfolio(tuple(numbered), tuple(paths))


def _is_folder(name: str) -> bool:
    """Whether a name means a folder: as a path always, bare only where no proposal answers to it."""
    try:
        if not Path(name).is_dir():
            return False
    except (OSError, ValueError):
        return False
    if files.is_path(name):
        return True
    try:
        files.find(name, "project")
    except BadInput:
        return True
    return False


def _named_table(name: str) -> Path | None:
    """Return the portfolio that a bare name means; None for a path and where a proposal has that name."""
    if files.is_path(name):
        return None
    for kind in ("project", "portfolio"):
        try:
            found = files.find(name, kind)
        except BadInput:
            continue
        return found if kind == "portfolio" else None
    return None


def _proposal(name: str) -> Path:
    """Return the proposal of that name; where there is none a portfolio may have been meant."""
    try:
        return files.find(name, "project")
    except BadInput:
        near = nearest(name, files.available("portfolio"))
        if files.is_path(name) or near is None or near == name:
            raise
        hint = f'did you mean "{near}"?'
        raise BadInput(Problem(name, "", "no proposal and no portfolio of that name", hint=hint)) from None


def _absent(option: str, columns: Iterable[str], heads: Sequence[str]) -> list[Problem]:
    """Return a problem per column that an option names and no table has."""
    found = []
    for column in columns:
        if column not in heads:
            near = nearest(column, heads)
            hint = f'did you mean "{plain(near, 40)}"?' if near else ""
            found.append(Problem(option, "", "no table has a column of that name", column, hint))
    return found


def _file(path: Path, where: str) -> Row:
    """Return the row of a proposal file: only its hash is kept until it is its turn."""
    try:
        digest = hashlib.sha256(files.read_bytes(path, files.TOML_LIMIT, where)).hexdigest()
    except BadInput as error:
        source = files.Source(path, files.label(path), "")
        return Row(0, where, source, problems=error.problems)
    return Row(0, where, files.Source(path, files.label(path), digest))


def _table(
    path: Path,
    name: str,
    vocabulary: Mapping[str, Parameter],
    keep: Sequence[str],
    renamed: Mapping[str, str],
    heads: list[str],
) -> list[Row]:
    """Return the rows of a CSV table; the names of its columns are added to ``heads``."""
    text, source = files.read_text(path, files.TABLE_LIMIT, name)
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records = _records(reader, name)
    if not records:
        raise BadInput(Problem(name, "", "is empty", hint="the first line names the columns"))
    heads += [cell.strip() for cell in records[0]]
    columns = [renamed.get(cell.strip(), cell.strip()) for cell in records[0]]
    limits.COLUMNS.check(len(columns), name, "columns")
    limits.ROWS.check(len(records) - 1, name)
    _check_columns(columns, name)
    _check_spelling([c for c in columns if c and c not in keep], name, vocabulary, renamed)
    rows = []
    for number, cells in enumerate(records[1:], 1):
        if cells:
            rows.append(_record(f"{name} row {number}", columns, cells, source, vocabulary))
    if not rows:
        raise BadInput(Problem(name, "", "has no rows below its column names"))
    return rows


def _check_spelling(
    columns: Sequence[str], name: str, vocabulary: Mapping[str, Parameter], renamed: Mapping[str, str]
) -> None:
    """Refuse columns that look like a key or a belief misspelt, and keys that are none."""
    problems = Problems(name)
    known = (*PROJECT_KEYS, *(k for k, p in vocabulary.items() if p.group is not Group.FACT))
    for key in renamed.values():
        if _kind(key, vocabulary) == "extra":
            problems.unknown("--column", key, known, "is neither a key of a proposal nor a belief")
    for column in columns:
        near = nearest(column, known) if _kind(column, vocabulary) == "extra" else ""
        if near and _alike(column, near) and column not in renamed.values():
            told = plain(column, 40)
            hint = (
                f'did you mean "{near}"? --column {shlex.quote(f"{near}={told}")} reads it so, '
                f"--keep {shlex.quote(told)} carries it through as it is"
            )
            problems.add("columns", "looks misspelt", column, hint)
    problems.check()


def _records(reader: Any, name: str) -> list[list[str]]:
    """Return the records of a table without those that are blank."""
    records = []
    limit = csv.field_size_limit(limits.CELL.most)
    try:
        records = [record for record in reader if any(cell.strip() for cell in record)]
    except csv.Error as error:
        raise BadInput(
            Problem(name, f"line {reader.line_num}", f"is not CSV: {error}",
                    hint="quote cells that hold commas, and double the quotes inside them")
        ) from None  # fmt: skip
    finally:
        csv.field_size_limit(limit)
    return records


def _check_columns(columns: Sequence[str], name: str) -> None:
    problems = Problems(name)
    for column in dict.fromkeys(c for c in columns if c and columns.count(c) > 1):
        problems.add("columns", "the same name stands twice", column)
    if "name" not in columns:
        likely = [c for c in columns if re.search(r"name|title|project|proposal|grant", c, re.IGNORECASE)]
        near = nearest("name", columns) or next(iter([*likely, *filter(None, columns)]), "title")
        hint = f"say which it is, such as --column {shlex.quote(f'name={plain(near, 40)}')}"
        problems.add("columns", "there is no column called name", hint=hint)
    problems.check()


def _kind(column: str, vocabulary: Mapping[str, Parameter]) -> str:
    """Return what a column holds: "project", "belief", or "extra"."""
    if column in PROJECT_KEYS:
        return "project"
    belief, _, case = column.partition(".")
    parameter = vocabulary.get(belief)
    if parameter is None or parameter.group is Group.FACT or (case and case not in FACT_OF):
        return "extra"
    return "belief"


def _alike(one: str, other: str) -> bool:
    """Whether a column is a key's or a belief's name but for case, signs, or a letter or two.

    A letter may be missing, too many, another, or have changed places with its neighbour; in a
    name of up to four letters only a plural's may be too many, as many words are that near.
    """
    first, second = (re.sub(r"[^a-z]", "", text.lower()) for text in (one, other))
    if first == second or first + "s" == second or first == second + "s":
        return True
    if min(len(first), len(second)) <= 4:
        return False
    if len(first) == len(second):
        return sum(a != b for a, b in zip(first, second, strict=True)) <= 2
    short, long = sorted((first, second), key=len)
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def _record(
    where: str,
    columns: Sequence[str],
    cells: Sequence[str],
    source: files.Source,
    vocabulary: Mapping[str, Parameter],
) -> Row:
    """Return one record of a table as what a proposal file would hold."""
    problems = Problems(where)
    if any(cell.strip() for cell in cells[len(columns) :]):
        problems.add("", f"has {len(cells)} cells under {len(columns)} column names")
    project: dict[str, Any] = {}
    beliefs: dict[str, Any] = {}
    extra: dict[str, str] = {}
    for column, cell in zip(columns, cells, strict=False):
        text = cell.strip()
        if not column:
            if text:
                problems.add("", "has a cell under no column name", text)
            continue
        kind = _kind(column, vocabulary)
        if kind == "extra":
            extra[column] = cell
        elif not text:
            continue
        elif column == "criteria":
            project[column] = [word for word in re.split(r"[\s,;]+", text) if word]
        elif kind == "project":
            quantity = column in PARAMETERS
            project[column] = _value(text, where, column, problems) if quantity else text
        else:
            belief, _, case = column.partition(".")
            value = _value(text, where, column, problems)
            if case:
                beliefs.setdefault(belief, {})[case] = value
            else:
                beliefs.setdefault(belief, {})[""] = value
    content = {"project": project, "beliefs": {k: _cases(v) for k, v in beliefs.items()}}
    if any("" in cases and len(cases) > 1 for cases in beliefs.values()):
        problems.add("beliefs", "a belief is stated for all projects and per value of a fact too")
    return Row(0, where, source, content, extra, tuple(problems))


def _cases(cases: Mapping[str, Any]) -> Any:
    return cases[""] if "" in cases else dict(cases)


def _value(text: str, where: str, column: str, problems: Problems) -> Any:
    """Return a cell as a belief: a number, "6 to 15", "18 months", or a table in braces."""
    if not text.startswith("{"):
        return text
    try:
        found = files.parse_toml(f"x = {text}", where)
    except BadInput:
        found = {}
    if list(found) != ["x"]:
        problems.add(column, "is not a table in braces", text, "write { p5 = 6, p95 = 15 }")
        return 0
    return found["x"]
