"""Tables whose borders are lost, put together again by the forms' own words: one cell a line, PDF text, lone pipes.

Values are taken for a row only when their number is exactly what the form wants there, or when blank cells still
leave a trace; anything else is marked as lost. Never counts on where a page breaks a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from extractors import forms
from extractors.known_rows import LONGEST_TABLE, Plan, keep_table, known_rows
from extractors.labels import key, plain
from extractors.loose_lines import HALF_BLANK, MOST_PIECES, LooseLines, Stretch, Token, is_heading
from extractors.numbers import unit_of, unit_of_label
from extractors.records import Paragraph, new_record
from extractors.sheet import Printed, Sheet
from extractors.statistics_table import kind_of, this_years
from extractors.stretch_shape import Shape, numbers_of_tokens, shape_of
from extractors.wrapped_labels import NOT_WORD, NOTE, run_key, statistic_of, wrapped_row


@dataclass
class Segment:
    """Text tokens and the values that follow them."""

    texts: list[Token] = field(default_factory=list)
    values: list[Token] = field(default_factory=list)


class StreamReader:
    """Reads runs of lines into a sheet."""

    def __init__(self, sheet: Sheet, lines: LooseLines) -> None:
        self.sheet = sheet
        self.lines = lines
        self.known = known_rows()

    def read(self, lines: Sequence[Paragraph], table: int, is_cut: bool = False) -> list[int]:
        """Reads a run of lines between two tables; gives the places of those that are cells of tables.

        is_cut: the source ends inside the last one.
        """
        self.table = table
        of_tables: list[int] = []
        for stretch in self.lines.stretches(lines):
            is_last = is_cut and stretch.reaches_end
            shape = shape_of(stretch.lines)
            place = (self.sheet.last_statistic, shape.lines)
            plan = None if is_last else self.known.stretches.get(place)
            if plan:
                self.sheet.repeat(plan, [*shape.numbers, *plan.texts], table, stretch.first + 1)
            else:
                plan = self._read_stretch(stretch, shape, is_last)
                if plan.is_whole and not is_last and len(shape.lines) <= LONGEST_TABLE:
                    keep_table(self.known.stretches, place, plan)
            of_tables += [stretch.first + place for place in plan.of_tables]
        return of_tables

    def _read_stretch(self, stretch: Stretch, shape: Shape, is_cut: bool) -> Plan:
        """Reads a stretch in full; gives what another one of its shape gives, not `is_whole` where its numbers count."""
        tokens, is_cell_a_line = self.lines.tokens(stretch)
        self.cut_token = tokens[-1] if is_cut and tokens else None
        self.sheet.watch()
        self._read(tokens)
        seen = self.sheet.seen()
        values = [token.line for token in tokens if token.is_value]
        of_tables = tuple(self.lines.cells_among(stretch, values[-1])) if values else ()
        numbers = numbers_of_tokens(shape, tokens, stretch) if is_cell_a_line or not shape.lone else None
        if seen is None or numbers is None:
            return Plan((), (), "", of_tables=of_tables, is_whole=False)
        cells = []
        texts: list[str] = []
        for name, printed, unit in seen.cells:
            place = numbers.get(printed.column - 1)
            if place is None:
                place = len(shape.numbers) + len(texts)
                texts.append(printed.text)
            cells.append((name, place, printed.row - 1 - stretch.first, printed.column, unit))
        return Plan(
            *(tuple(cells), tuple(seen.votes), seen.last_statistic),
            texts=tuple(texts),
            of_tables=of_tables,
        )

    def _read(self, tokens: Sequence[Token]) -> None:
        self.kind = ""
        self.blocks: tuple[forms.Block, ...] = ()
        self.units: tuple[str, ...] = ()
        self.header: list[str] | None = None
        self.above: list[str] = []
        self.rows: list[tuple[str | None, list[Printed] | None, Printed]] = []
        self.value_columns = 0
        self.this_year: int | None = None
        segments = _segments(tokens)
        rest = ""
        for number, segment in enumerate(segments):
            after = segments[number + 1].texts if number + 1 < len(segments) else []
            rest = self._read_segment(segment, after, rest)
        self._finish_requests()

    def _read_segment(self, segment: Segment, after: Sequence[Token], used: str) -> str:
        """Reads one run of values; gives the part of the next text that completed this row's label."""
        self._look_for_marks(segment.texts)
        self._name_glued(segment.texts)
        if not segment.values:
            return ""
        if self.kind == "proactive":
            self._proactive(segment)
        elif self.kind == "requests":
            return self._request(segment, after, used)
        elif self.kind == "review":
            self._review(segment)
        elif self.kind == "statistics":
            return self._statistic(segment, after, used)
        return ""

    def _look_for_marks(self, texts: Sequence[Token]) -> None:
        """Which table the text before a run of values opens, and its header."""
        proactive, requests = forms.proactive(), forms.requests()
        since_heading: list[str] = []
        for token in texts:
            folded, label = plain(token.text[:400]), key(token.text)
            since_heading.append(folded)
            if is_heading(token.text):
                self._finish_requests()
                self.kind, self.header, self.blocks, self.above = "", None, (), []
                since_heading = []
            elif proactive.section_mark in folded and len(folded) < 60:
                self.kind, self.header, self.blocks, self.above = "proactive", None, (), []
            elif label in proactive.header_starts and self.kind in ("", "proactive"):
                self.kind, self.header, self.blocks = "proactive", [], ()
            elif label in requests.column_groups or label == "自然人" or self._begins_requests(label):
                self.kind = "requests"
            elif self.kind == "proactive" and not _is_item(token.text):
                (self.above if self.header is None else self.header).append(token.text)
            elif label in forms.statistics().header["label"] and self.kind in ("", "statistics"):
                self.kind = "statistics"
                self._statistics_columns(texts)
            elif (
                self.kind == ""
                and forms.statistics().spelled.exact(label)[:1] == forms.statistics().order[:1]
            ):
                self.kind, self.value_columns, self.this_year = "statistics", 0, None
        joined = "".join(since_heading)
        names_both = "行政复议" in joined and "行政诉讼" in joined
        names_group = any(group in joined for group in forms.review().told_apart)
        if "结果维持" in joined or names_group or (names_both and self.kind in ("", "requests")):
            self._finish_requests()
            self.kind = "review"
        elif self.kind == "" and "自然人" in joined:
            self.kind = "requests"

    def _name_glued(self, texts: Sequence[Token]) -> None:
        """Rows whose label and numbers run together (规章000): nobody can tell the numbers apart."""
        for token in texts:
            label = key(token.text).rstrip("0123456789")
            if self.kind and label and label != key(token.text) and self.lines.known(label):
                reason = "label and numbers run together, they cannot be told apart"
                self.sheet.leave(
                    "column_lost", reason, token.text, self.table, token.line + 1, token.place + 1
                )

    def _begins_requests(self, label: str) -> bool:
        """The table's first row, where its header is lost."""
        words = forms.requests()
        return self.kind in ("", "requests", "proactive") and words.rows.exact(label) == (words.order[0],)

    def _printed(self, token: Token, mark: str = "") -> Printed:
        if token is self.cut_token:
            mark = "cut"
        text, line, place, *_ = token
        return new_record(Printed, (text, mark, self.table, line + 1, place + 1))

    def _whole(self, segment: Segment) -> Printed:
        tokens = segment.values[:30]
        text = " ".join(t.text for t in tokens)
        return Printed(text, "column_lost", self.table, tokens[0].line + 1, tokens[0].place + 1)

    def _exactly(self, segment: Segment, n: int) -> list[Printed] | None:
        """The n values of a row, or None when there are more or fewer and their columns are not told."""
        values = _without_space_behind(segment.values, n)
        printed = [token.text for token in values if not token.text.isdecimal()]
        if HALF_BLANK in printed:
            return None
        if any(map(_is_open, printed)) and len({token.line for token in values}) > 1:
            return None  # cells that wrap over lines: the lines no longer keep the order of the columns
        values = _without_page_number(values)
        return [self._printed(t) for t in values] if len(values) == n else None

    def _proactive(self, segment: Segment) -> None:
        words = forms.proactive()
        item = _last_label(segment.texts, words.items)
        if not item:
            if any(t.text.strip() for t in segment.values) and segment.texts:
                self._leave(segment, "unknown_row", "no item of the form has this label")
            return
        if self.header is not None and not self.blocks:
            self.blocks, self.units = _header_blocks(self.header, self.above)
        block = next((b for b in self.blocks if item in b.items), None)
        if block is None:
            self._leave(
                segment, "no_header", "the header above this row is missing, damaged or not of this item"
            )
            return
        values = self._exactly(segment, len(block))
        self.sheet.proactive(item, block, self.units, values, self._whole(segment))

    def _request(self, segment: Segment, after: Sequence[Token], used: str) -> str:
        if not any(t.text.strip() for t in segment.values) and len(segment.values) < 7:
            return ""  # padding of the header
        code, completed = self._row_of(segment.texts, after, used)
        if code and code.startswith("group:"):
            code = None
        values = self._exactly(segment, 7)
        whole = self._whole(segment)
        self.rows.append((code, values, whole))
        return completed

    def _row_of(self, texts: Sequence[Token], after: Sequence[Token], used: str) -> tuple[str | None, str]:
        """(row of the requests table the text before values ends in, what of the text behind them belongs to it)."""
        if texts and (exact := forms.requests().rows.exact(key(texts[-1].text))):
            return exact[0], ""
        before = run_key("".join([t.text for t in texts]))
        if used and before.startswith(used):
            before = before[len(used) :]
        found, completed = wrapped_row(forms.requests().rows, texts, before, after)
        return (found[0] if found else None), completed

    def _finish_requests(self) -> None:
        """Rows whose label is broken beyond repair are told by their place, when no row is missing."""
        rows, self.rows = self.rows, []
        if not rows:
            return
        order = _complete_order([code for code, _, _ in rows])
        for number, (code, values, whole) in enumerate(rows):
            if code is None and order:
                code = order[number]
            if code is None:
                self.sheet.leave("unknown_row", "no row of the form has this label", whole.text, *whole[2:])
            else:
                self.sheet.request(code, values, whole)

    def _review(self, segment: Segment) -> None:
        values = segment.values
        if not any(t.text.strip() for t in values):
            return  # padding between the lines of the header
        values = _without_space_behind(_without_page_number(values), 15)
        if len(values) < 8:
            self._leave(segment, "unknown_row", "15 values of reviews and lawsuits expected")
            return
        exact = len(values) == 15 and not any(t.text == HALF_BLANK for t in values)
        self.sheet.review([self._printed(t) for t in values] if exact else None, self._whole(segment))
        self.kind = ""

    def _statistics_columns(self, texts: Sequence[Token]) -> None:
        """How many values a row has and which one is this year's; none is taken when the header does not say."""
        labels = [key(token.text) for token in texts]
        kinds = [kind for label in labels if label and (kind := kind_of(label)) not in ("", "label", "unit")]
        self.value_columns = len(kinds)
        self.this_year = this_years(kinds)

    def _statistic(self, segment: Segment, after: Sequence[Token], used: str) -> str:
        words = forms.statistics()
        texts = list(segment.texts)
        unit = ""
        if texts and unit_of(texts[-1].text):
            unit = unit_of(texts.pop().text)
        label = "".join(t.text for t in texts)
        for passed in texts[:-1]:
            self.sheet.pass_statistic(words.spelled.exact(key(passed.text)))
        values = segment.values
        while values and unit_of(values[0].text) and len(values) > max(1, self.value_columns):
            unit = unit or unit_of(values[0].text)
            values = values[1:]
        meanings, completed, is_alike = statistic_of(texts, run_key(label).removeprefix(used), after)
        if not meanings:
            if any(_has_digit(t.text) for t in values):
                self._leave(segment, "unknown_row", "no row of the form has this label")
            return ""
        chosen = None
        if self.value_columns == 0:
            # No header: a unit of the form and one number behind it are a row of the form all the same.
            chosen = self._printed(values[0]) if unit and len(values) == 1 else None
        elif self.this_year is not None:
            values = _without_page_number(values)
            if len(values) == self.value_columns:
                chosen = self._printed(values[self.this_year])
        unit = unit or unit_of_label(label)
        self.sheet.statistic(meanings, unit, chosen, self._whole(segment), is_alike=is_alike)
        return completed

    def _leave(self, segment: Segment, code: str, reason: str) -> None:
        text = " ".join(t.text for t in [*segment.texts[-6:], *segment.values[:20]])
        token = segment.values[0]
        self.sheet.leave(code, reason, text, self.table, token.line + 1, token.place + 1)


def _segments(tokens: Sequence[Token]) -> list[Segment]:
    segment = Segment()
    segments = [segment]
    for token in tokens:
        if token.is_value:
            segment.values.append(token)
            continue
        if segment.values:
            segment = Segment()
            segments.append(segment)
        segment.texts.append(token)
    return segments


def _is_item(text: str) -> bool:
    """Whether a header ends here: an item's label, filling instructions behind it or not."""
    items = forms.proactive().items
    return bool(items.exact(key(text)) or items.exact(run_key(text)))


def _last_label(texts: Sequence[Token], labels: forms.Labels) -> str:
    """Meaning of the label the text ends in; "" when it ends in none."""
    for count in (1, 2, 3):
        if len(texts) >= count:
            joined = key("".join(t.text for t in texts[-count:]))
            meanings = labels.find(joined) if count == 1 else labels.exact(joined)
            if meanings:
                return meanings[0]
    for count in range(1, min(len(texts), MOST_PIECES) + 1):
        # A label whose filling instructions are wrapped around its numbers ends inside a bracket.
        if plain(texts[-count].text).find("(") > 0:
            meanings = labels.exact(run_key("".join(t.text for t in texts[-count:])))
            return meanings[0] if meanings else ""
    return ""


def _header_blocks(
    texts: Sequence[str], above: Sequence[str]
) -> tuple[tuple[forms.Block, ...], tuple[str, ...]]:
    """Blocks whose columns the header's words spell, however its cells are broken; and the units it names.

    `above`: words between the section's mark and the header. A header whose cells wrap over lines comes in pieces
    out of order, some of them above; it is known when its characters are just those of one block's columns.
    """
    words = forms.proactive()
    spelled = key("".join(NOTE.sub("", plain(text)) for text in texts))
    fitting = tuple(block for block in words.blocks if _spells(spelled, block.labels))
    if not fitting:
        fitting = words.block_of(tuple(key(text) for text in texts))
    if not fitting:
        pieces = NOTE.sub("", plain("".join([*above, *texts])))
        letters = sorted(NOT_WORD.sub("", pieces))
        fitting = tuple(block for block in words.blocks if _has_letters(block, letters))
    unit = unit_of_label(plain("".join(texts)))
    return fitting, tuple(unit for _ in range(3))


def _has_letters(block: forms.Block, letters: list[str]) -> bool:
    if not 4 <= len(letters) <= 40:
        return False
    return any(sorted("".join(labels)) == letters for labels in product(*block.labels))


def _spells(text: str, columns: Sequence[frozenset[str]]) -> bool:
    if not columns:
        return not text
    return any(text.startswith(label) and _spells(text[len(label) :], columns[1:]) for label in columns[0])


def _complete_order(codes: Sequence[str | None]) -> list[str] | None:
    """The form's rows when as many are there as it has and all that are told stand in their place."""
    words = forms.requests()
    single, three = words.single_row, words.single_row_instead_of
    for order in (
        [code for code in words.order if code not in three],
        [code for code in words.order if code != single],
    ):
        told = [(a, b) for a, b in zip(codes, order, strict=False) if a is not None]
        if len(codes) == len(order) and len(told) >= 0.6 * len(order) and all(a == b for a, b in told):
            return order
    return None


def _without_page_number(values: Sequence[Token]) -> list[Token]:
    """Without a number that stands alone on its line where lines are rows: taken for a value, it would shift the others."""
    return [token for token in values if not token.may_be_page]


def _without_space_behind(values: Sequence[Token], n: int) -> list[Token]:
    """The first n values when all of them are printed and only blank lines follow, as before a heading."""
    is_space = [token.text in ("", HALF_BLANK) for token in values]
    return list(values[:n] if all(is_space[n:]) and not any(is_space[:n]) else values)


def _is_open(text: str) -> bool:
    """Whether a note in brackets begins or ends outside this text."""
    folded = plain(text)
    return folded.count("(") != folded.count(")")


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)
