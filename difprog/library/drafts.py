"""Edit a file on a draft of it, which takes its place once it is sound and is kept until then.

Drafts lie in a folder of the program's own, each in one named by a hash of the file that it is for,
with a note of what that file was when the draft was begun. Nothing else is ever taken for a draft,
and no file of the user's lies where one is written or deleted.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from difprog.base import files, locks, writing
from difprog.base.errors import BadInput, Problem
from difprog.library import edit
from difprog.library.amend import SCHEMA_LINE, Target, begin, target
from difprog.library.checking import Checked, validate
from difprog.library.shelf import Shelf, is_shipped, locate

#: Says of a draft what it is a draft of.
NOTE = "draft.json"

#: What a draft may hold.
TEXT, ANSWERS = "text", "answers"


def place(goal: Path) -> Path:
    """Return the folder of a file's draft, where there is one or not."""
    key = hashlib.sha256(str(goal.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    return files.user_folder() / "drafts" / key[:32]


def left(goal: Path, kind: str) -> tuple[bytes, str] | None:
    """Return the draft that was left of a file, and that file's hash when it was begun; None where none was.

    Parameters
    ----------
    goal : Path
        The file.
    kind : {"text", "answers"}
        What the draft holds: the file's own text, or answers to questions.
    """
    folder = place(goal)
    try:
        note = json.loads(files.read_bytes(folder / NOTE, files.TOML_LIMIT))
        if (note["goal"], note["holds"]) != (str(goal.resolve()), kind):
            return None
        return files.read_bytes(folder / _name(goal), files.TOML_LIMIT), str(note["sha256"])
    except (BadInput, LookupError, TypeError, ValueError):
        return None


def keep(goal: Path, kind: str, content: bytes | str, sha256: str) -> Path:
    """Keep a draft of a file; return where.

    Raises
    ------
    OSError
        Where the program's folder cannot be written.
    """
    folder = place(goal)
    writing.write_atomically(folder / _name(goal), content)
    note = {"goal": str(goal.resolve()), "holds": kind, "sha256": sha256}
    writing.write_atomically(folder / NOTE, json.dumps(note))
    return folder / _name(goal)


def drop(goal: Path) -> None:
    """Forget the draft of a file."""
    shutil.rmtree(place(goal), ignore_errors=True)


def _name(goal: Path) -> str:
    """Return what a draft is called: as the file is, for the editor's sake, and never as the note."""
    return f"{goal.stem[:80]}.toml"


@dataclass(frozen=True)
class Draft:
    """A copy of a file that is being edited.

    Attributes
    ----------
    path : Path
        The draft.
    goal : Target
        What it is a draft of.
    sha256 : str
        Of the file when the draft was begun, "" where there was none.
    begun : str
        SHA-256 of a new draft before any edit; "" for one that was taken up.
    shelf : Shelf or None
        What it is checked under.
    """

    path: Path
    goal: Target
    sha256: str
    begun: str = ""
    shelf: Shelf | None = None

    @property
    def resumed(self) -> bool:
        """Whether it was there before, left from an earlier edit."""
        return not self.begun

    def check(self) -> Checked:
        """Return what the draft says; raises `BadInput` with what is wrong with it."""
        text, _ = edit.text_of(self.path)
        return validate(text, str(self.path), self.goal.path, self.shelf)

    def finish(self) -> bool:
        """Put the draft in the file's place; whether that changed anything.

        Raises
        ------
        BadInput
            Where it is not sound, or the file has changed since: the draft is kept.
        """
        if self.begun and fingerprint(self.path) == self.begun:
            self._drop()
            return False
        with locks.locked(self.goal.path):
            self.check()
            if fingerprint(self.goal.path) != self.sha256:
                raise BadInput(
                    Problem(
                        str(self.goal.path), "", "was changed while you were editing",
                        hint=f"your draft is kept: {self.path}; delete it to begin anew",
                    )
                )  # fmt: skip
            data = files.read_bytes(self.path, files.TOML_LIMIT)
            changed = hashlib.sha256(data).hexdigest() != self.sha256
            if changed:
                writing.write_atomically(self.goal.path, data)
        self._drop()
        return changed

    def _drop(self) -> None:
        """Take the draft away, whose folder is its own wherever that is."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file, "" where there is none; raises `BadInput` where it is none to edit."""
    if not path.exists() and not path.is_symlink():
        return ""
    return hashlib.sha256(files.read_bytes(path, files.TOML_LIMIT)).hexdigest()


def draft(name: str, shelf: Shelf | None = None) -> Draft:
    """Begin a draft of a file, or take up the one that was left.

    Raises
    ------
    BadInput
        Where there is no such file, or it is none that can be edited: not regular, or too large.
    """
    goal = target(name) if _readable(name) else Target(locate(name))
    found = left(goal.path, TEXT)
    if found is not None:
        return Draft(place(goal.path) / _name(goal.path), goal, found[1], shelf=shelf)
    sha256 = fingerprint(goal.path)
    content = files.read_bytes(goal.path, files.TOML_LIMIT) if sha256 else template(goal).encode()
    try:
        path = keep(goal.path, TEXT, content, sha256)
    except OSError:
        # The program's folder cannot be written, which is no reason not to edit a file that can.
        path = Path(tempfile.mkdtemp(prefix="difprog-draft-")) / _name(goal.path)
        try:
            writing.write_atomically(path, content)
        except OSError:
            path.parent.rmdir()
            raise
    return Draft(path, goal, sha256, fingerprint(path), shelf)


def _readable(name: str) -> bool:
    """Whether a file is TOML at all: a broken one of the user's own can be mended all the same."""
    path = locate(name)
    files.read_bytes(path, files.TOML_LIMIT, name)
    try:
        files.read_toml(path, name)
    except BadInput:
        if is_shipped(path):
            raise
        return False
    return True


def template(goal: Target) -> str:
    """Return `begin`, with the shipped beliefs below it as comments to take up and change."""
    if goal.kind != "beliefs":
        return begin(goal)
    assert goal.over is not None
    text, _ = files.read_text(goal.over)
    lines = [line for line in text.splitlines() if not line.startswith(SCHEMA_LINE)]
    rest = "\n".join(f"# {line}".rstrip() if not line.startswith("#") else line for line in lines)
    return f"{begin(goal)}\n# Uncomment a belief to change it.\n{rest}\n"
