"""Edit a file on a draft of it, which takes its place once it is sound and is kept until then.

Drafts lie in the program's own folder, under names that say which file they are of and that no
user gives: nothing beside a user's file is ever taken for a draft, or written over.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from difprog import edit, files, layers
from difprog.changes import SCHEMA_LINE, Target, begin, target
from difprog.errors import BadInput, Problem
from difprog.layers import Checked


@dataclass(frozen=True)
class Draft:
    """A copy of a file that is being edited."""

    path: Path
    goal: Target
    sha256: str
    begun: str = ""

    @property
    def resumed(self) -> bool:
        """Whether it was there before, left from an earlier edit."""
        return not self.begun

    def check(self) -> Checked:
        """Return what the draft says; raises `BadInput` with what is wrong with it."""
        text, _ = edit.text_of(self.path)
        return layers.validate(text, str(self.path), self.goal.path)

    def finish(self) -> bool:
        """Put the draft in the file's place; whether that changed anything.

        Raises
        ------
        BadInput
            Where it is not sound, or the file has changed since: the draft is kept.
        """
        if self.begun and fingerprint(self.path) == self.begun:
            self.path.unlink()
            return False
        with edit.locked(self.goal.path):
            self.check()
            if fingerprint(self.goal.path) != self.sha256:
                raise BadInput(
                    Problem(
                        str(self.goal.path), "", "was changed while you were editing",
                        hint=f"your draft is kept: {self.path}",
                    )
                )  # fmt: skip
            data = files.read_bytes(self.path, files.TOML_LIMIT)
            changed = not self.goal.path.exists() or self.goal.path.read_bytes() != data
            if changed:
                files.write_atomically(self.goal.path, data)
            self.path.unlink()
        return changed


def place(path: Path, kind: str) -> Path:
    """Return where the draft of a file lies; ``kind`` says which command it is of."""
    key = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    return files.user_folder() / "drafts" / f"{kind}-{key}.toml"


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file, "" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def draft(name: str) -> Draft:
    """Begin a draft of a file, or take up the one that was left."""
    goal = target(name) if _readable(name) else Target(layers.locate(name))
    path = place(goal.path, "edit")
    resumed = path.exists()
    if not resumed:
        exists = goal.path.exists()
        files.write_atomically(path, goal.path.read_bytes() if exists else template(goal))
    return Draft(path, goal, fingerprint(goal.path), "" if resumed else fingerprint(path))


def _readable(name: str) -> bool:
    """Whether a file is TOML at all: a broken one of the user's own can be mended all the same."""
    path = layers.locate(name)
    try:
        files.read_toml(path, name)
    except BadInput:
        if layers.is_shipped(path):
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
