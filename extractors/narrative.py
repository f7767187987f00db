"""Reads the `narrative.*` figures from prose by the rules of `forms/narrative.yml`, and the chapters.

Takes a figure only when a rule names it, with its unit and its sentence; a statement of none without a
numeral (未收到申请) is no number. Never takes running totals, other years, comparisons, parts or percentages;
never adds figures up; never chooses between two equally plain figures: they come back marked `ambiguous`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import NamedTuple

from extractors.chapters import Part, join_parts, split_parts
from extractors.narrative_quantities import BOUNDARY, Quantity, is_rounded, quantities_of, rounds_to
from extractors.narrative_rules import Rule, wording
from extractors.narrative_subject import is_of_others
from extractors.records import Cell, Chapter, Document

LONGEST_SENTENCE = 1_000
"""Characters of one sentence read at a time; a longer one is read in pieces of this length."""
MOST_SENTENCES = 3_000
"""Sentences with figures examined in one document."""
LONGEST_QUALIFIER = 8
"""Characters before the channel a clause begins with: 区政府官方微信."""
CLEARLY_MORE_EXPLICIT = 2
"""A figure wins over a different one when so many more words tie it to the year, a total or the whole."""

_WORTH_READING = re.compile(
    r"[\d０-９零〇一二两兩三四五六七八九十百千万萬亿億余餘多右]\s?[条條件篇份则則起宗例次项項个個期封单單案部元]"
)
_SENTENCE = re.compile(r"[^。！!？?\n\r]+")
_YEAR = re.compile(r"(?P<before>.?)(?P<year>(?:19|20)\d\d)年")
_ANY_YEAR = re.compile(r"(?:19|20)\d\d年度?")
_YEAR_RANGE = re.compile(r"((?:19|20)\d\d)年?[至到—–~～-]{1,2}((?:19|20)\d\d)年")
# A single month (12月主动公开), no day (12月31日) and no end of a span (1-12月).
_MONTH = re.compile(r"(?<![\d\-—–~～至到])(?:1[0-2]|[1-9])月份?(?![\d份底末至到—–~～-])")
_MONTHS = re.compile(
    r"(?<!\d)(?P<first>\d{1,2})月?(?:\d{1,2}日)?起?[-—–~～至到]{1,2}(?:(?:19|20)\d\d年)?(?P<last>\d{1,2})月"
)
_OWN_YEAR = re.compile(r"(?<![至末底从自])(?:19|20)\d\d年度?[，,]?[^，,；;：:（(\d]{0,20}$")
"""The report year begins the clause: 2021年,县教育局 | 累计公开186条."""
FIRST_YEAR, FIRST_MONTH = 2008, 5
"""The Regulations came into force on 1 May 2008: a total 截至2008年底 is that year's."""
_SPACE = re.compile(r"\s+")
_PART_ENDS = re.compile(r"[；;]|^[^（(]*[)）]")
_CLOSED = re.compile(r"[（(][^（）()]*[）)]")
_CALLED = re.compile(r"[（(](?:以下|下)?简称[^（）()]{1,20}[）)]")


class Figure(NamedTuple):
    """A quantity a rule took: for which indicator, from which sentence, and how plainly it is told."""

    indicator: str
    quantity: Quantity
    sentence: str
    paragraph: int
    explicitness: int
    is_weak: bool


def read_narrative(
    document: Document, year: int | None, agency: str = "", of_tables: Container[int] = ()
) -> tuple[list[Cell], list[Chapter]]:
    """The narrative figures, at most one cell an indicator, and the chapters of a document's prose.

    A cell's `table` and `column` are 0, its `row` is the paragraph from 1, its `raw_text` the sentence.
    `mark` is `approximate` where the text says so, `ocr` where it was read from a picture, and `ambiguous`
    where the prose tells two different figures: `printed` then holds both and is no number.
    `year` is the report year; with None, figures tied to any year by name are not taken. `agency` is the author as
    the report names it; figures of any other office that a sentence names are not taken. `of_tables` are the paragraphs,
    from 1, that `match` knows for cells of tables: they are no prose.
    """
    parts = split_parts(document.paragraphs, of_tables)
    figures = _figures(parts, year, agency)
    cells = [cell for rule in wording().rules if (cell := _settle(figures, rule.indicator, document.is_ocr))]
    return cells, join_parts(parts)


def _figures(parts: list[Part], year: int | None, agency: str) -> list[Figure]:
    words = wording()
    found: list[Figure] = []
    topic, paragraph, left = "", 0, MOST_SENTENCES
    for part in parts:
        if part.paragraph != paragraph:
            topic, paragraph = words.chapter_topics.get(part.chapter, ""), part.paragraph
        if part.text.isdecimal() or not _WORTH_READING.search(part.text):
            continue
        for sentence in _sentences(part.text):
            folded = _fold(sentence)
            if words.cues.search(folded) and _WORTH_READING.search(folded):
                found += _figures_of(folded, sentence.strip(), part, topic, (year, agency))
                left -= 1
            topic = _last_topic(folded) or topic
            if left <= 0:
                return found
    return found


def _sentences(text: str) -> Iterator[str]:
    for match in _SENTENCE.finditer(text):
        sentence = match[0]
        for start in range(0, len(sentence), LONGEST_SENTENCE):
            yield sentence[start : start + LONGEST_SENTENCE]


def _fold(sentence: str) -> str:
    """Half-width digits, simplified characters, no white space but the one that groups digits (1 619)."""
    folded = sentence.translate(wording().fold)
    if "简称" in folded:
        folded = _CALLED.sub("", folded)
    return _SPACE.sub(_kept_space, folded) if " " in folded or _SPACE.search(folded) else folded


def _kept_space(space: re.Match[str]) -> str:
    """A space between groups of digits (`1 619`, not `2020 12`), nothing for any other white space."""
    start, end = space.span()
    before, after = space.string[max(0, start - 4) : start], space.string[end : end + 4]
    return " " if re.search(r"(?<!\d)\d{1,3}$", before) and re.match(r"\d{3}(?!\d)", after) else ""


def _figures_of(
    sentence: str, printed: str, part: Part, topic: str, report: tuple[int | None, str]
) -> Iterator[Figure]:
    """The figures of one sentence that are the agency's own; `report` is its year and agency."""
    words = wording()
    rules = [
        rule
        for rule in words.rules
        if rule.cue.search(sentence)
        and _is_in_context(rule, sentence, part.chapter)
        and not (rule.unless_told and rule.unless_told.search(sentence))
    ]
    if not rules:
        return
    for quantity in quantities_of(sentence):
        if _speaks_of_something_else(quantity, report[0]):
            continue
        told = _last_topic(quantity.before + quantity.after)
        for rule in rules:
            strength = _strength(rule, quantity, rule.topic if told in rule.also_after else told or topic)
            recent = quantity.start - len(quantity.head) - len(quantity.local)
            if strength and not is_of_others(sentence, recent, quantity.start, report[1]):
                explicitness = _explicitness(quantity)
                yield Figure(
                    rule.indicator, quantity, printed, part.paragraph, explicitness, strength == "weak"
                )


def _is_in_context(rule: Rule, sentence: str, chapter: str) -> bool:
    """Whether sentence or chapter say that a figure is about information requests, where the rule asks for that."""
    if rule.context is None or rule.context.search(sentence):
        return True
    return chapter in rule.chapters and not (rule.chapters_unless and rule.chapters_unless.search(sentence))


def _speaks_of_something_else(quantity: Quantity, year: int | None) -> bool:
    """Another year, a comparison, a running total, a plan, one office's share: true for every indicator."""
    words = wording()
    if words.never.search(quantity.local) or words.some_office.search(quantity.local):
        return True
    # A year in brackets that are closed again says nothing about what follows: 复议3件(2020年4件),诉讼2件.
    before = (
        _CLOSED.sub("", quantity.before)
        if ")" in quantity.before or "）" in quantity.before
        else quantity.before
    )
    told = [match for match in _YEAR.finditer(before) if match["before"] not in words.comparison]
    if any(match["before"] in words.comparison for match in _YEAR.finditer(quantity.local)):
        return True
    if told and (year is None or int(told[-1]["year"]) != year):
        return True
    if any(first != last for first, last in _YEAR_RANGE.findall(quantity.before[-400:])):
        return True
    if _is_of_other_period(quantity, year) or _is_of_some_months(quantity.before[-400:], year):
        return True
    if "分别" in quantity.local and quantity.following.startswith("、"):
        return True
    return quantity.value != 0 and bool(words.negated.search(quantity.local))


def _is_of_other_period(quantity: Quantity, year: int | None) -> bool:
    """A running total (累计) or another span of time (截至, 近三年) that no word for this year takes back."""
    words = wording()
    before = quantity.before[-400:]
    clause_start = len(before) - len(quantity.local)
    for found in words.other_period.finditer(before):
        is_joined = words.this_year.search(before[max(0, found.start() - 4) : found.start()])
        if found[0] == "累计":
            is_taken_back = (
                found.start() < clause_start or is_joined or _OWN_YEAR.search(before[: found.start()])
            )
        elif (found[0] in ("截至", "截止") and year == FIRST_YEAR) or (found[0] == "以来" and is_joined):
            is_taken_back = True  # the first year's total is that year's; 今年以来
        else:
            is_taken_back = words.this_year.search(before, found.end())
        if not is_taken_back:
            return True
    return False


def _is_of_some_months(before: str, year: int | None) -> bool:
    """Whether a month or some months (12月,网站发布326条; 1至9月) are not taken back by a word for the whole year."""
    if "月" not in before:
        return False
    ends = [match.end() for match in _MONTH.finditer(before)]
    for span in _MONTHS.finditer(before):
        first = FIRST_MONTH if year == FIRST_YEAR and span["first"] == str(FIRST_MONTH) else 1
        if (int(span["first"]), int(span["last"])) != (first, 12):
            ends.append(span.end())
    return bool(ends) and not wording().this_year.search(before, max(ends))


def _strength(rule: Rule, quantity: Quantity, topic: str) -> str:
    """`plain` or `weak` when the rule takes the quantity, "" when not."""
    words = wording()
    if quantity.unit not in rule.units or rule.unless.search(quantity.local):
        return ""
    clause = f"{quantity.local}#{quantity.after}"
    if rule.topic and topic != rule.topic:
        return ""
    if rule.unless_follows and rule.unless_follows.match(_ANY_YEAR.sub("上年", quantity.following)):
        return ""
    if not rule.may_be_part and _is_part(quantity):
        return ""
    if rule.channel and not _channel_fits(rule.channel, quantity):
        return ""
    if rule.one_of and _names_one(rule.one_of, quantity.local):
        return ""
    if rule.joint and rule.joint_phrases and rule.joint.search(quantity.local):
        told_for_both = quantity.value == 0 or words.each.search(quantity.local)
        return "plain" if told_for_both and rule.joint_phrases.search(clause) else ""
    if rule.phrases.search(clause):
        return "plain"
    if rule.weaker and quantity.unit in rule.weaker_units and rule.weaker.search(clause):
        return "" if rule.weaker_unless and rule.weaker_unless.search(quantity.local) else "weak"
    return ""


def _is_part(quantity: Quantity) -> bool:
    """Whether the number stands behind 其中 (of which), in the same brackets or before the next semicolon.

    A part that is tied to this year (累计公开9000条，其中本年度新增2110条) is the year's figure and no part.
    """
    if wording().this_year.search(quantity.local):
        return False
    since = list(wording().parts.finditer(quantity.before[-400:]))
    if not since:
        return False
    between = quantity.before[-400:][since[-1].end() :]
    return not _PART_ENDS.search(between)


def _channel_fits(channel: str, quantity: Quantity) -> bool:
    """Whether the clause names this channel alone; for `all`: none, or the website or several with others."""
    words = wording()
    text = quantity.local
    earlier = re.search(r"(?:通过|利用|依托|运用|借助)[^#]{0,120}$", quantity.head)
    if not words.channels.search(text):
        text = (earlier[0] if earlier else _channel_as_subject(quantity.head)) + text
    named = {words.channel_of[name] for name in words.channels.findall(text)}
    is_several = bool(words.several.search(text))
    if channel == "all":
        # The whole, not one channel: two of "and others", "the website", "several kinds" must be told.
        return not named or is_several + ("website" in named) + (len(named) > 1) >= 2
    return named == {channel} and not is_several


def _channel_as_subject(head: str) -> str:
    """The clause before that begins with one channel (微信公众号关注2万人,发布信息1203条), which the number is about."""
    words = wording()
    if not words.channels.search(head):
        return ""
    for clause in reversed(BOUNDARY.split(head)):
        found = words.channels.search(clause)
        if found and found.start() <= LONGEST_QUALIFIER and not words.improves.search(clause):
            return clause
    return ""


def _names_one(pattern: re.Pattern[str], text: str) -> bool:
    return len(set(pattern.findall(text))) == 1 and "等" not in text


def _last_topic(text: str) -> str:
    named = wording().topics.findall(text)
    return wording().topic_of[named[-1]] if named else ""


def _explicitness(quantity: Quantity) -> int:
    """How many words tie the number to the report year, to a total and to the whole agency: 0 to 3."""
    words = wording()
    around = quantity.head[-80:] + quantity.local
    is_of_year = bool(words.this_year.search(around) or _YEAR.search(around))
    return is_of_year + bool(words.totals.search(quantity.local)) + bool(words.scopes.search(around))


def _settle(figures: list[Figure], indicator: str, is_ocr: bool) -> Cell | None:
    """The one figure of an indicator, or two plain ones that differ marked `ambiguous`; None without any."""
    candidates = [figure for figure in figures if figure.indicator == indicator]
    candidates = [figure for figure in candidates if not figure.is_weak] or candidates
    if not candidates:
        return None
    best = max(figure.explicitness for figure in candidates)
    if best >= CLEARLY_MORE_EXPLICIT:
        candidates = [figure for figure in candidates if figure.explicitness > best - CLEARLY_MORE_EXPLICIT]
    candidates = _without_roundings(candidates)
    chosen = max(candidates, key=lambda figure: (figure.explicitness, -figure.paragraph))
    rivals = [figure for figure in candidates if figure.quantity.value != chosen.quantity.value]
    quantity = chosen.quantity
    if not rivals:
        mark = "ocr" if is_ocr else "approximate" if quantity.is_vague else ""
        return _cell(chosen, quantity.printed, chosen.sentence, mark)
    rival = rivals[0]
    first, second = sorted((chosen, rival), key=lambda figure: figure.paragraph)
    texts = first.sentence if first.sentence == second.sentence else f"{first.sentence} … {second.sentence}"
    return _cell(first, f"{first.quantity.printed} / {second.quantity.printed}", texts, "ambiguous")


def _cell(figure: Figure, printed: str, raw_text: str, mark: str) -> Cell:
    return Cell(
        indicator=figure.indicator,
        applicant=None,
        printed=printed,
        raw_text=raw_text,
        unit_text=figure.quantity.unit,
        mark=mark,
        table=0,
        row=figure.paragraph,
        column=0,
    )


def _without_roundings(figures: list[Figure]) -> list[Figure]:
    """Leave out vague or rounded figures (约2.2万) where an exact one they round is told as well (22134)."""
    exact = [figure for figure in figures if not is_rounded(figure.quantity)]
    return [
        figure
        for figure in figures
        if not is_rounded(figure.quantity)
        or not any(rounds_to(other.quantity.value, figure.quantity.value) for other in exact)
    ]
