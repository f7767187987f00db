"""Tables whose borders are lost, put together again by the forms' own words: one cell a line, PDF text, lone pipes.

Values are taken for a row only when their number is exactly what the form wants there, or when blank cells still
leave a trace; anything else is marked as lost. Never counts on where a page breaks a line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from extractors import forms
from extractors.labels import key, plain
from extractors.numbers import is_value_like, unit_of, unit_of_label
from extractors.records import Paragraph
from extractors.sheet import Printed, Sheet

_HEADING = re.compile(r"^[(]?[一二三四五六七八九十]{1,3}[)]?[、.,:]")
_LONGEST_HEADING = 45
_PROSE = re.compile(r"[。;!?]|，.{8,}，")
_NOTE = re.compile(r"[(\[][^()\[\]]*[)\]]")
_OPEN_NOTE = re.compile(r"[(](?![一二三四五六七八九十\d]{1,3}[)])[^()]*$")
_SPACES_IN_NOTE = re.compile(r"[(（][^()（）]{0,80}[)）]")
_PAGE_NUMBER = re.compile(
    r"^(?:[-—–]\s*\d{1,3}\s*[-—–]|第\s*\d{1,3}\s*页(?:\s*[,，/共]*\s*\d{1,3}\s*页)?|\d{1,3}\s*/\s*\d{1,3})$"
)
_NOT_WORD = re.compile(r"[^\w/]+|_")
_MOST_TOKENS = 60_000
SHORTEST_HEADING = 4
"""A shorter numbered piece is the beginning of a wrapped label (二、上)."""
MOST_PIECES = 40
"""Into so many pieces spaces cut a label at most."""
DASHES_IN_LABELS = frozenset({"无"})
"""Stands for no value alone, but is a piece of labels too (无 正 当 理 由)."""
HALF_BLANK = "?"
"""Stands where blank lines leave open whether a blank cell was there."""


class Token(NamedTuple):
    """One cell or word. `line` counts lines; `place` counts cells of a strip."""

    text: str
    line: int
    place: int
    is_value: bool


@dataclass
class Segment:
    """Text tokens and the values that follow them."""

    texts: list[Token] = field(default_factory=list)
    values: list[Token] = field(default_factory=list)


class StreamReader:
    """Reads lines and strips into a sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.marks = (
            forms.proactive().section_mark,
            "信息内容",
            "申请人情况",
            "自然人",
            "结果维持",
            "统计指标",
            "本年新收",
        )
        self.known = KnownLabels()

    def is_heading(self, text: str) -> bool:
        """A chapter's heading: numbered, short, and no row of a form."""
        folded = plain(text[: 2 * _LONGEST_HEADING])
        return (
            len(folded) <= _LONGEST_HEADING
            and bool(_HEADING.match(folded))
            and not folded.startswith("(")
            and len(key(text)) >= SHORTEST_HEADING
            and sum(is_value_like(word) for word in text.split()) < 2
            and not self.known.begins(key(text))
        )

    def read_lines(self, lines: Sequence[tuple[int, Paragraph]], table: int, is_cut: bool = False) -> None:
        """Reads a run of lines between two tables."""
        if not any(mark in plain(p.text[:4000]) for _, p in lines for mark in self.marks[:1]) and not any(
            mark in plain(p.text[:4000]) for _, p in lines for mark in self.marks[1:]
        ):
            return
        self.table = table
        for region in self._regions([paragraph for _, paragraph in lines]):
            spaced = _is_spaced(region)
            tokens = list(self._cells_of_spaced(region) if spaced else self._words_of(region))
            self.cut_token = tokens[-1] if is_cut and tokens and region[-1][1] is lines[-1][1] else None
            self._read(tokens)

    # -- lines to tokens -----------------------------------------------------------------------------------------

    def _regions(self, paragraphs: Sequence[Paragraph]) -> Iterator[list[tuple[int, Paragraph]]]:
        """Stretches of lines that can belong to tables: from a form's mark to the next prose, headings among them.

        The line that ends a stretch is its last one, emptied: the blank lines before it may be blank cells.
        """
        region: list[tuple[int, Paragraph]] = []
        for number, paragraph in enumerate(paragraphs):
            folded = plain(paragraph.text[:4000])
            is_prose = _is_prose(folded) and not self.known.begins(key(paragraph.text))
            if region and is_prose and not self._has_row_words(paragraph.text):
                yield [*region, (number, Paragraph("", paragraph.gap))]
                region = []
            elif region:
                region.append((number, paragraph))
            elif any(mark in folded for mark in self.marks) and not (
                is_prose and not self._has_row_words(paragraph.text)
            ):
                region = [(number, paragraph)]
        if region:
            yield region

    def _has_row_words(self, text: str) -> bool:
        """Whether a line that reads like prose holds a table all the same (a report run together on one line)."""
        words = text[:200_000].split()
        return len(words) > 20 and sum(is_value_like(word) for word in words) >= 10

    def _cells_of_spaced(self, region: Sequence[tuple[int, Paragraph]]) -> Iterator[Token]:
        """One cell a line with blank lines between: three blank lines are a blank cell, none is the same cell."""
        cells: list[list[str]] = []
        numbers: list[int] = []
        is_heading = False
        for number, paragraph in region:
            was_heading, is_heading = is_heading, self.is_heading(paragraph.text)
            if cells and paragraph.gap == 0 and not (is_heading or was_heading):
                cells[-1] += [paragraph.text] if paragraph.text else []
                continue
            if cells:
                for _ in range(max(0, paragraph.gap - 1) // 2):
                    cells.append([""])
                    numbers.append(number)
                if paragraph.gap and paragraph.gap % 2 == 0:
                    # Half a blank cell: something is missing here, so that no row across it counts right.
                    cells.append([HALF_BLANK])
                    numbers.append(number)
            if paragraph.text:
                cells.append([paragraph.text])
                numbers.append(number)
        for place, (parts, number) in enumerate(zip(cells, numbers, strict=True)):
            text = "".join(parts) if len(parts) > 1 and not parts[0][-1:].isdigit() else "\n".join(parts)
            is_value = not text or (is_value_like(text) and not self.known(key(text)))
            yield Token(text, number, place, is_value)

    def _words_of(self, region: Sequence[tuple[int, Paragraph]]) -> Iterator[Token]:
        """Words of lines; where lines are cells (one value a line), a line with inner spaces (1 619) stays whole."""
        lines = [(n, p.text) for n, p in region if p.text and not _PAGE_NUMBER.match(p.text)]
        is_cell_a_line = _is_cell_a_line([text for _, text in lines])
        place = 0
        for number, text in lines:
            words = text.split()
            is_one = len(words) == 1 or self.known(key(text)) or self.is_heading(text)
            is_one = is_one or (is_cell_a_line and is_value_like(text))
            if not is_one:
                words = _SPACES_IN_NOTE.sub(lambda found: "".join(found[0].split()), text).split()
            for word in [text] if is_one else self._labels_joined(words):
                place += 1
                if place > _MOST_TOKENS:
                    return
                yield Token(word, number, place, is_value_like(word) and not self.known(key(word)))

    def _labels_joined(self, words: list[str]) -> Iterator[str]:
        """Words of a line, those that only together are a label (行 政 许 可) as one."""
        place = 0
        while place < len(words):
            size = 1
            if not is_value_like(words[place]) or words[place] in DASHES_IN_LABELS:
                for following in range(1, min(MOST_PIECES, len(words) - place)):
                    word = words[place + following]
                    if is_value_like(word) and word not in DASHES_IN_LABELS:
                        break
                    joined = key("".join(words[place : place + following + 1]))
                    if self.known(joined):
                        size = following + 1
            yield "".join(words[place : place + size])
            place += size

    # -- tokens to rows ------------------------------------------------------------------------------------------

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
        if not segment.values:
            return ""
        if self.kind == "proactive":
            self._proactive(segment)
        elif self.kind == "requests":
            return self._request(segment, after, used)
        elif self.kind == "review":
            self._review(segment)
        elif self.kind == "statistics":
            self._statistic(segment)
        return ""

    def _look_for_marks(self, texts: Sequence[Token]) -> None:
        """Which table the text before a run of values opens, and its header."""
        proactive, requests = forms.proactive(), forms.requests()
        since_heading: list[str] = []
        for token in texts:
            folded, label = plain(token.text[:400]), key(token.text)
            since_heading.append(folded)
            if self.is_heading(token.text):
                self._finish_requests()
                self.kind, self.header, self.blocks, self.above = "", None, (), []
                since_heading = []
            elif proactive.section_mark in folded and len(folded) < 60:
                self.kind, self.header, self.blocks, self.above = "proactive", None, (), []
            elif label in proactive.header_starts and self.kind in ("", "proactive"):
                self.kind, self.header, self.blocks = "proactive", [], ()
            elif self.kind == "proactive" and not self._is_item(token.text):
                (self.above if self.header is None else self.header).append(token.text)
            elif label in requests.column_groups or label == "自然人" or self._begins_requests(label):
                self.kind = "requests"
            elif label in forms.statistics().header["labels"] and self.kind in ("", "statistics"):
                self.kind = "statistics"
                self._statistics_columns(texts)
        joined = "".join(since_heading)
        names_both = "行政复议" in joined and "行政诉讼" in joined
        if self.kind in ("", "requests") and ("结果维持" in joined or names_both):
            self._finish_requests()
            self.kind = "review"
        elif self.kind == "" and "自然人" in joined:
            self.kind = "requests"

    def _is_item(self, text: str) -> bool:
        """Whether a header ends here: an item's label, filling instructions behind it or not."""
        items = forms.proactive().items
        return bool(items.exact(key(text)) or items.exact(_run_key(text)))

    def _begins_requests(self, label: str) -> bool:
        """The table's first row, where its header is lost."""
        words = forms.requests()
        return self.kind in ("", "requests") and words.rows.exact(label) == (words.order[0],)

    def _printed(self, token: Token, mark: str = "") -> Printed:
        if token is self.cut_token:
            mark = "cut"
        return Printed(token.text, mark, self.table, token.line + 1, token.place + 1)

    def _whole(self, segment: Segment) -> Printed:
        tokens = segment.values[:30]
        text = " ".join(t.text for t in tokens)
        return Printed(text, "column_lost", self.table, tokens[0].line + 1, tokens[0].place + 1)

    def _exactly(self, segment: Segment, n: int) -> list[Printed] | None:
        """The n values of a row, or None when there are more or fewer and their columns are not told."""
        values = segment.values
        if any(token.text == HALF_BLANK for token in values):
            return None
        if len({token.line for token in values}) > 1 and any(_is_open(token.text) for token in values):
            return None  # cells that wrap over lines: the lines no longer keep the order of the columns
        if len(values) != n:
            values = _without_page_number(values, n)
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
        before = "".join(t.text for t in segment.texts)
        before_key = _run_key(before)
        if used and before_key.startswith(used):
            before_key = before_key[len(used) :]
        following = _run_key("".join(t.text for t in after[:12]))
        code, completed = _row_of(segment.texts, before_key, following)
        if code and code.startswith("group:"):
            code = None
        values = self._exactly(segment, 7)
        whole = self._whole(segment)
        self.rows.append((code, values, whole))
        return completed

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
        if len(values) > 15:
            values = _without_page_number(values, 15)
        if len(values) < 8:
            self._leave(segment, "unknown_row", "15 values of reviews and lawsuits expected")
            return
        exact = len(values) == 15 and not any(t.text == HALF_BLANK for t in values)
        self.sheet.review([self._printed(t) for t in values] if exact else None, self._whole(segment))
        self.kind = ""

    def _statistics_columns(self, texts: Sequence[Token]) -> None:
        """How many values a row has and which one is this year's; none is taken when the header does not say."""
        header = forms.statistics().header
        labels = [key(t.text) for t in texts]
        columns = [x for x in labels if x in header["this_year"] | header["cumulative"] | header["value"]]
        current = [i for i, label in enumerate(columns) if label not in header["cumulative"]]
        self.value_columns = len(columns)
        self.this_year = current[0] if current else None

    def _statistic(self, segment: Segment) -> None:
        words = forms.statistics()
        texts = list(segment.texts)
        unit = ""
        if texts and unit_of(texts[-1].text):
            unit = unit_of(texts.pop().text)
        label = "".join(t.text for t in texts)
        meanings = _ends_in(_run_key(label), words.rows)
        if texts and not meanings:
            meanings = words.rows.find(key(texts[-1].text))
        for passed in texts[:-1]:
            self.sheet.pass_statistic(words.rows.exact(key(passed.text)))
        values = segment.values
        if not meanings:
            if any(_has_digit(t.text) for t in values):
                self._leave(segment, "unknown_row", "no row of the form has this label")
            return
        while values and unit_of(values[0].text) and len(values) > self.value_columns:
            unit = unit or unit_of(values[0].text)
            values = values[1:]
        values = _without_page_number(values, self.value_columns)
        chosen = None
        if self.this_year is not None and len(values) == self.value_columns:
            chosen = self._printed(values[self.this_year])
        self.sheet.statistic(meanings, unit or unit_of_label(label), chosen, self._whole(segment))

    def _leave(self, segment: Segment, code: str, reason: str) -> None:
        text = " ".join(t.text for t in [*segment.texts[-6:], *segment.values[:20]])
        token = segment.values[0]
        self.sheet.leave(code, reason, text, self.table, token.line + 1, token.place + 1)


def _segments(tokens: Sequence[Token]) -> list[Segment]:
    segments = [Segment()]
    for token in tokens:
        if token.is_value:
            segments[-1].values.append(token)
        else:
            if segments[-1].values:
                segments.append(Segment())
            segments[-1].texts.append(token)
    return segments


def _is_spaced(region: Sequence[tuple[int, Paragraph]]) -> bool:
    """Whether blank lines separate the cells: they stand between most lines."""
    gaps = [paragraph.gap for _, paragraph in region[1:]]
    return len(gaps) >= 4 and sum(gap >= 1 for gap in gaps) >= 0.7 * len(gaps)


def _is_cell_a_line(lines: Sequence[str]) -> bool:
    """Whether values stand alone on their lines; in lines of whole rows a label or other values stand beside them."""
    with_values = [line.split() for line in lines if any(is_value_like(word) for word in line.split())]
    alone = sum(all(is_value_like(word) for word in words) and len(words) <= 3 for words in with_values)
    return alone >= 0.85 * len(with_values)


def _is_prose(folded: str) -> bool:
    return folded.endswith(("。", ";")) or (len(folded) > 60 and bool(_PROSE.search(folded)))


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
            meanings = labels.exact(_run_key("".join(t.text for t in texts[-count:])))
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
    spelled = key("".join(_NOTE.sub("", plain(text)) for text in texts))
    fitting = tuple(block for block in words.blocks if _spells(spelled, block.labels))
    if not fitting:
        fitting = words.block_of(tuple(key(text) for text in texts))
    if not fitting:
        pieces = _NOTE.sub("", plain("".join([*above, *texts])))
        letters = sorted(_NOT_WORD.sub("", pieces))
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


def _run_key(text: str) -> str:
    """Letters and digits of a run of label pieces, notes removed, also one whose end is wrapped away."""
    folded = plain(text)
    return _NOT_WORD.sub("", _OPEN_NOTE.sub("", _NOTE.sub("", folded)))


def _row_of(texts: Sequence[Token], before: str, following: str) -> tuple[str | None, str]:
    """(row of the requests table the text ends in, what of the following text belongs to its label)."""
    rows = forms.requests().rows
    if texts and (exact := rows.exact(key(texts[-1].text))):
        return exact[0], ""
    best: tuple[int, str, str] = (0, "", "")
    for label, meanings in rows.meanings.items():
        if len(label) < 4:
            continue
        if before.endswith(label):
            best = max(best, (len(label), meanings[0], ""))
            continue
        for size in range(len(label) - 1, 1, -1):
            if before.endswith(label[:size]):
                ending = label[size:]
                if following.startswith(ending):
                    best = max(best, (len(label), meanings[0], ending))
                break
    if best[0]:
        return best[1], best[2]
    if texts and (found := rows.find(key(texts[-1].text))):
        return found[0], ""
    return None, ""


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


def _ends_in(text: str, labels: forms.Labels) -> tuple[str, ...]:
    fitting = [label for label in labels.meanings if len(label) >= 5 and text.endswith(label)]
    return labels.meanings[max(fitting, key=len)] if fitting else ()


def _without_page_number(values: Sequence[Token], n: int) -> list[Token]:
    """Drops a number that stands alone on its line after (or before) a line that holds all n values."""
    lines = Counter(token.line for token in values)
    if len(values) == n + 1 and n > 1 and len(lines) == 2 and n in lines.values():
        return [token for token in values if lines[token.line] == n]
    return list(values)


def _is_open(text: str) -> bool:
    """Whether a note in brackets begins or ends outside this text."""
    folded = plain(text)
    return folded.count("(") != folded.count(")")


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


class KnownLabels:
    """Whether a key is any label of any form."""

    def __init__(self) -> None:
        requests, review, proactive = forms.requests(), forms.review(), forms.proactive()
        statistics = forms.statistics()
        self._mark = re.compile(
            rf"(?:[^无]\w{{0,19}}条例)?{proactive.section_mark}(?:第?[一二三四五六七八九]?款?第?项)?"
        )
        self.corner = requests.corner
        self.labels = {
            *requests.rows.meanings,
            *requests.columns.meanings,
            *requests.column_groups,
            *review.groups.meanings,
            *review.group_headings,
            *review.results.meanings,
            *proactive.items.meanings,
            *proactive.header_starts,
            *proactive.column_words,
            *statistics.rows.meanings,
            *statistics.headings,
            *(label for labels in statistics.header.values() for label in labels),
        }

        self._long = tuple(
            label
            for label in (*requests.rows.meanings, *statistics.rows.meanings, *statistics.headings)
            if len(label) >= 5
        )

    def begins(self, label: str) -> bool:
        """Whether the key is a label, a long one followed by something (a row with its numbers), or a long one's part."""
        if self(label) or label.startswith(self._long):
            return True
        return len(label) >= 4 and any(known.startswith(label) for known in self._long)

    def __call__(self, label: str) -> bool:
        if not label:
            return False
        return label in self.labels or bool(self._mark.fullmatch(label)) or label.startswith(self.corner)

    def like(self, label: str) -> bool:
        """The same, misprints and filling instructions allowed."""
        if self(label):
            return True
        sets = (forms.requests().rows, forms.proactive().items, forms.statistics().rows)
        return len(label) > 3 and any(labels.find(label) for labels in sets)
