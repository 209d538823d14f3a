"""Edit a file on a draft, which takes its place once it is sound and is kept until then."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from difprog.base import files
from difprog.base.errors import BadInput, Problem
from difprog.library import edit
from difprog.library.amend import SCHEMA_LINE, Target, begin, target
from difprog.library.checking import Checked, validate
from difprog.library.shelf import Shelf, is_shipped, locate


@dataclass(frozen=True)
class Draft:
    """A copy of a file that is being edited."""

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


def draft_path(path: Path, purpose: str) -> Path:
    """Return where a file's draft is kept: in a folder of the program's own, apart for every file."""
    mark = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return files.user_folder() / "drafts" / f"{path.stem[:40]}-{mark}.{purpose}.toml"


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file, "" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def draft(name: str, shelf: Shelf | None = None) -> Draft:
    """Begin a draft of a file, or take up the one that was left."""
    goal = target(name) if _readable(name) else Target(locate(name))
    path = draft_path(goal.path, "edit")
    resumed = path.exists()
    if not resumed:
        exists = goal.path.exists()
        files.write_atomically(path, goal.path.read_bytes() if exists else template(goal))
    return Draft(path, goal, fingerprint(goal.path), "" if resumed else fingerprint(path), shelf)


def _readable(name: str) -> bool:
    """Whether a file is TOML at all: a broken one of the user's own can be mended all the same."""
    path = locate(name)
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
