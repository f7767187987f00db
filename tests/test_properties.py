"""Any valid report, in any layout, with any habit seen in print, is read back equal; never a wrong number.

Examples an ordinary run tries: 150 a property; `OGI_EXAMPLES=5000` tries more. Where a layout loses columns
(`Rendered.lost`) a number may be absent, but one that is read must be the printed one.

Not detectable, and therefore left out by construction: a value over merged columns in a layout that shows it
as a value of one column (markdown), and a space inside a number where spaces part the cells.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from extractors.known_rows import forget_rows
from extractors.match import match
from extractors.narrative import read_narrative
from extractors.numbers import read_prose_value
from extractors.read import read_document
from extractors.read_text import read_text
from tests.reading_back import KINDS, compare, difference_of, numbers_of
from tests.simulator import render_files, render_html, render_text
from tests.simulator.agencies import all_agencies
from tests.simulator.figures import CHANGES, FORMS, UNITS, Habits, Report, make_report
from tests.simulator.noise import QUIET, Noise
from tests.simulator.printing import DIGITS

EXAMPLES = int(os.environ.get("OGI_EXAMPLES", "150"))
IS_LONG_RUN = EXAMPLES > 150
AGENCIES = all_agencies()


def examples(share: float = 1.0) -> settings:
    """An ordinary run tries the same examples every time; a long one tries new ones and makes them small."""
    ordinary = (Phase.explicit, Phase.generate)
    return settings(
        max_examples=max(int(EXAMPLES * share), 1),
        deadline=None,
        derandomize=not IS_LONG_RUN,
        database=None,
        phases=(*ordinary, Phase.shrink) if IS_LONG_RUN else ordinary,
        suppress_health_check=[HealthCheck.too_slow],
    )


flag = st.booleans()
habits = st.builds(
    Habits,
    scale=st.sampled_from([40, 3, 4000]),
    blank=st.sampled_from([0.0, 0.02, 0.3]),
    dash=st.sampled_from([0.0, 0.05]),
    blank_columns=st.sampled_from([(), ("total",), ("research", "public_interest"), ("natural_person",)]),
    zero_totals=flag,
    change=st.sampled_from(CHANGES),
    amount=st.sampled_from(UNITS),
    digits=st.sampled_from(DIGITS),
    broken=st.sampled_from([(), ("T3.balance", "T4.results", "S.sums"), ("T3.outcomes",)]),
    merged=flag,
    two_columns=flag,
)
noises = st.builds(
    Noise,
    spaces=st.sampled_from([0.0, 0.3]),
    breaks=st.sampled_from([0.0, 0.3]),
    misprints=st.sampled_from([0.0, 0.4]),
    half_width=flag,
    instructions=flag,
    law_name=flag,
    same_headers=flag,
    local_row=flag,
)
styles = st.builds(
    render_html.HtmlStyle,
    **dict.fromkeys(("word", "wavy", "nested", "split", "joined", "unrolled", "malformed"), flag),
    **dict.fromkeys(("broken_headers", "metadata", "inside_metadata", "upper", "th", "unquoted"), flag),
    **dict.fromkeys(("cell_tables", "unseen", "carried"), flag),
    blanks=st.sampled_from(render_html.BLANKS),
)
seeds = st.integers(0, 10**6)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    agency = AGENCIES[draw(st.integers(0, len(AGENCIES) - 1))]
    return make_report(
        draw(seeds), draw(st.sampled_from(FORMS)), agency, draw(st.integers(2014, 2024)), draw(habits)
    )


def _assert_read_back(report: Report, rendered: render_text.Rendered) -> None:
    difference = difference_of(report, rendered)
    assert not difference.wrong, difference
    assert not difference.missing, difference


@examples()
@given(reports(), styles, noises, st.sampled_from(sorted(render_html.ENCODINGS)), seeds, flag)
def test_pages_are_read_back_equal(report, style, noise, charset, seed, repeats_labels):
    _assert_read_back(report, render_html.render_html(report, style, noise, seed, charset, repeats_labels))


@examples(2)
@given(
    habits,
    st.sampled_from(FORMS),
    st.sampled_from(sorted(render_text.LAYOUTS)),
    noises,
    st.sampled_from(["utf-8", "gb18030", "utf-8-sig", "utf-16"]),
    seeds,
    flag,
)
def test_texts_are_read_back_equal(own, form, layout, noise, encoding, seed, repeats_labels):
    own = replace(own, merged=own.merged and layout not in render_text.HIDE_MERGES)
    if own.digits == "inner spaces" and layout in render_text.HIDE_SPACES:
        own = replace(own, digits="plain")
    report = make_report(seed, form, AGENCIES[seed % len(AGENCIES)], 2014 + seed % 11, own)
    _assert_read_back(report, render_text.render_text(report, layout, noise, seed, encoding, repeats_labels))


@examples(0.8)
@given(
    habits,
    st.sampled_from(FORMS),
    styles,
    noises,
    seeds,
    st.sampled_from(["page", *sorted(render_text.LAYOUTS)]),
)
def test_what_was_read_before_changes_no_reading(own, form, style, noise, seed, layout):
    """Rows and stretches of known shapes are read from memory: two reports with other figures, this one, and as if new."""
    agency, year = AGENCIES[seed % len(AGENCIES)], 2014 + seed % 11
    documents = []
    for other in range(3):
        report = make_report(seed + other, form, agency, year, own)
        if layout == "page":
            rendered = render_html.render_html(report, style, noise, seed)
        else:
            rendered = render_text.render_text(report, layout, noise, seed)
        documents.append(read_document(rendered.content, "report" + rendered.suffix))
    forget_rows()
    remembered = [match(document) for document in documents * 2]
    for number, document in enumerate(documents * 2):
        forget_rows()
        assert remembered[number] == match(document)


@examples(0.5)
@given(habits, st.sampled_from(FORMS), noises, seeds, st.sampled_from(sorted(render_text.LAYOUTS)), st.data())
def test_other_digits_in_the_same_places_are_read_as_if_new(own, form, noise, seed, layout, data):
    """A text and its twin whose numbers are longer, shorter or page numbers: no memory of one decides about the other."""
    report = make_report(seed, form, AGENCIES[seed % len(AGENCIES)], 2020, own)
    text = render_text.render_text(report, layout, noise, seed).content.decode()
    draw = data.draw(st.randoms(use_true_random=False))

    def other(_: re.Match[str]) -> str:
        return str(draw.randrange(10 ** draw.choice((1, 1, 2, 3, 3, 4, 6))))

    twins = [read_text(re.sub(r"(?<![\d.年])\d+(?![\d.年月日])", other, text).encode()) for _ in range(3)]
    forget_rows()
    remembered = [match(document) for document in twins]
    for number, document in enumerate(twins):
        forget_rows()
        assert remembered[number] == match(document)


@examples(0.08)
@given(reports(), noises, st.sampled_from(["pdf", "pdf_unruled", "docx", "xlsx", "xlsx_sheets"]), seeds)
def test_files_are_read_back_equal(report, noise, kind, seed):
    if kind == "pdf_unruled":
        assume(not any(" " in printed.text for printed in report.cells.values()))
    if kind == "pdf":
        # A number wider than its ruled cell runs over the wall, where it can be another cell's.
        assume(all(sum(1 + (c > "\u2e80") for c in printed.text) < 9 for printed in report.cells.values()))
    if kind.startswith("pdf"):
        rendered = render_files.render_pdf(report, kind == "pdf", noise, seed)
    elif kind == "docx":
        rendered = render_files.render_docx(report, noise, seed)
    else:
        rendered = render_files.render_xlsx(report, noise, seed, kind == "xlsx")
    _assert_read_back(report, rendered)


@examples(0.2)
@given(reports(), st.sampled_from(["html", "pipe", "cell_line"]), seeds)
def test_traditional_characters_are_understood(report, layout, seed):
    noise = Noise(traditional=True)
    if layout == "html":
        _assert_read_back(report, render_html.render_html(report, noise=noise, seed=seed))
    elif not report.merged:
        _assert_read_back(report, render_text.render_text(report, layout, noise, seed))


def test_a_scan_gives_no_number():
    report = make_report(1, "2021", AGENCIES[0], 2022)
    assert numbers_of(render_files.render_scan(report).content, "scan.pdf") == (None, {})


@examples(0.2)
@given(seeds, st.booleans())
def test_a_report_of_prose_alone_is_read_back_equal(seed, is_page):
    """Reports before 2014 have no form: their figures stand in sentences, and no table may be made of them."""
    report = make_report(seed, "2008", AGENCIES[seed % len(AGENCIES)], 2009 + seed % 5)
    rendered = render_html.render_html(report) if is_page else render_text.render_text(report, "pipe")
    assert numbers_of(rendered.content, "report" + rendered.suffix) == (None, {})
    cells, _ = read_narrative(read_document(rendered.content, "report" + rendered.suffix), report.year)
    found = {
        (cell.indicator, None): read_prose_value(cell.printed, cell.unit_text, KINDS[cell.indicator])[0]
        for cell in cells
    }
    assert found == report.numbers


@examples(0.3)
@given(reports(), st.sampled_from(sorted(render_text.LAYOUTS)), seeds)
def test_the_form_is_told_by_the_tables(report, layout, seed):
    """A table read at all is of the report's form; a 2021 table with the single 其他处理 counts as 2021."""
    data = render_text.render_text(report, layout, QUIET, seed).content
    form, _ = numbers_of(data, "report.txt")
    expected = "2021" if report.form == "mixed" else report.form
    assert form in (None, expected) or layout == "glued"


@examples(0.3)
@given(reports(), flag, seeds)
def test_reading_twice_gives_the_same(report, is_page, seed):
    rendered = (
        render_html.render_html(report, seed=seed)
        if is_page
        else render_text.render_text(report, "pipe", seed=seed)
    )
    first = numbers_of(rendered.content, "a" + rendered.suffix)
    assert first == numbers_of(rendered.content, "b" + rendered.suffix)
    assert not compare(report.truth, first[1], rendered.lost).wrong
