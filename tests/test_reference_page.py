"""The generated page names every parameter, and is current."""

from __future__ import annotations

from difprog.base import files
from difprog.library import reference
from difprog.models.model import vocabulary
from difprog.race.parameters import FACTS

PARAMETERS = vocabulary()


def test_the_page_is_current():
    page = files.shipped("priors").parent / "VOCABULARY.md"
    assert page.read_text("utf-8") == reference.markdown(), "write it again: difprog priors generate"


def test_every_parameter_has_a_row_with_what_a_reader_needs():
    rows = {}
    for line in reference.markdown().splitlines():
        if line.startswith("| `"):
            cells = [c.strip() for c in line.strip("|").replace("\\|", "¦").split(" | ")]
            rows[cells[0].strip("` ")] = line
    assert set(rows) == set(PARAMETERS) | set(FACTS)
    for name, parameter in PARAMETERS.items():
        assert parameter.meaning.split()[0] in rows[name]
        assert parameter.unit in rows[name]
        assert str(parameter.support) in rows[name]


def test_every_belief_that_ships_has_its_default_and_its_source_on_the_page():
    page = reference.markdown()
    count = 0
    for name in PARAMETERS:
        for _, _, belief in reference.defaults(name):
            count += 1
            assert reference.range_of(belief) in page
            assert " ".join(belief.source.split()).replace("|", "\\|") in page
    assert count > 50


def test_numbers():
    assert reference.number(0) == "0"
    assert reference.number(1234.5) == "1,230"
    assert reference.number(-0.00012) == "−1.2e−4"
    assert reference.number(3e11) == "3e11"
