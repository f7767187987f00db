"""Every file of words and facts: its shape, and that what it names exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import validate

from extractors import forms
from extractors.labels import key
from extractors.records import APPLICANTS
from extractors.schema import arrow_schema, tables
from transforms.tidy import indicators

CODES = set(indicators()["indicator"])
WORDS = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "minLength": 1}}
WORDS_BY_CODE = {"type": "object", "minProperties": 1, "additionalProperties": WORDS}


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name, facts in properties.items() if not facts.get("optional")],
        "additionalProperties": False,
    }


SHAPES = {
    "proactive": closed(
        table={"const": "proactive"},
        header_starts=WORDS,
        header_corners=WORDS,
        side_columns=WORDS,
        section_mark={"type": "string"},
        items=WORDS_BY_CODE,
        blocks={
            "type": "array",
            "items": closed(form={"enum": ["2019", "2021"]}, items=WORDS, columns=WORDS_BY_CODE),
        },
    ),
    "requests": closed(
        table={"const": "requests"},
        columns=WORDS_BY_CODE,
        column_groups=WORDS,
        corner=WORDS,
        rows={
            "type": "array",
            "items": {
                "oneOf": [
                    closed(code={"type": "string"}, labels=WORDS),
                    closed(group={"type": "string"}, labels=WORDS),
                ]
            },
        },
        single_row=closed(code={"type": "string"}, numbers=WORDS, instead_of=WORDS),
        common_words=WORDS,
    ),
    "review_litigation": closed(
        table={"const": "review_litigation"},
        groups=WORDS_BY_CODE,
        group_headings=WORDS,
        results=WORDS_BY_CODE,
    ),
    "statistics": closed(
        table={"const": "statistics"},
        header=WORDS_BY_CODE,
        headings=WORDS,
        beginning={"type": "string"},
        endings=WORDS_BY_CODE,
        whole=WORDS,
        rows={"type": "array", "items": closed(code={"type": "string"}, labels=WORDS)},
    ),
    "tables": closed(marks=WORDS),
    "report": closed(subject=WORDS, kinds=WORDS),
}


@pytest.mark.parametrize("name", SHAPES)
def test_each_form_has_its_shape(name: str) -> None:
    validate(yaml.safe_load((forms.FOLDER / f"{name}.yml").read_text(encoding="utf8")), SHAPES[name])


def test_every_code_a_form_names_is_an_indicator() -> None:
    named = {
        row["code"]
        for name in ("requests", "statistics")
        for row in forms.load(name)["rows"]
        if "code" in row
    }
    named |= {
        f"proactive.{item}.{column}"
        for b in forms.proactive().blocks
        for item in b.items
        for column in b.columns
    }
    named |= set(forms.review().indicators)
    assert named <= CODES
    assert {code for code in CODES if not code.startswith("narrative.")} == named


def test_every_label_is_written_as_labels_are_compared() -> None:
    """A label that its own key differs from could never be found."""
    for labels in (
        forms.requests().rows,
        forms.requests().columns,
        forms.review().results,
        forms.statistics().rows,
    ):
        assert [label for label in labels.meanings if key(label) != label] == []
    assert [label for label in forms.proactive().items.meanings if key(label) != label] == []


def test_applicants_stand_in_printed_order() -> None:
    assert forms.requests().applicants == APPLICANTS


def test_a_label_has_one_meaning_but_for_the_rows_that_stand_twice() -> None:
    twice = {label for label, meanings in forms.requests().rows.meanings.items() if len(meanings) > 1}
    assert not twice
    assert {label for label, m in forms.statistics().rows.meanings.items() if len(m) > 1} == {
        "被依法纠错数",
        "其他情形数",
    }
    spelled = [label for label, m in forms.statistics().spelled.meanings.items() if len(m) > 1]
    assert all("被依法纠错" in label or "其他情形" in label for label in spelled)


@pytest.mark.parametrize("table", tables())
def test_every_table_of_the_schema_is_complete(table: str) -> None:
    facts = tables()[table]
    assert facts["comment"] and facts["layer"] in ("crawl", "cells", "tidy", "warehouse")
    assert all(column["comment"] for column in facts["columns"].values())
    assert set(facts["key"]) <= set(arrow_schema(table).names)


def test_the_catalogue_is_the_vocabulary_that_was_agreed() -> None:
    frame = indicators()
    assert frame["indicator"].is_unique
    assert set(frame["parent"].dropna()) <= CODES
    assert set(frame["kind"]) == {"count", "stock", "change", "amount"}
    shared = Path(__file__).parents[2] / "shared" / "domain" / "indicators.csv"
    if shared.is_file():
        ours = Path(__file__).parents[1] / "transforms" / "reference" / "indicators.csv"
        assert ours.read_bytes() == shared.read_bytes()
