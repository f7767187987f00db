"""Prose is cut at headings, whatever their numbering, and nowhere else."""

from __future__ import annotations

import time

import pytest

from extractors.chapters import MOST_CHARACTERS, limits_note, read_chapters
from extractors.match import match
from extractors.narrative import read_narrative
from extractors.records import Document, Paragraph


def chapters_of(*paragraphs: str) -> list[tuple[str, str, str]]:
    document = Document("text", tuple(Paragraph(text) for text in paragraphs))
    chapters = read_chapters(document)
    assert [chapter.ordinal for chapter in chapters] == list(range(1, len(chapters) + 1))
    return [(chapter.chapter, chapter.heading, chapter.text) for chapter in chapters]


def names_of(*paragraphs: str) -> list[str]:
    return [name for name, _, _ in chapters_of(*paragraphs)]


SIX = [
    "总体情况",
    "主动公开政府信息情况",
    "收到和处理政府信息公开申请情况",
    "政府信息公开行政复议、行政诉讼情况",
    "存在的主要问题及改进情况",
    "其他需要报告的事项",
]
SIX_NAMES = ["overview", "proactive", "requests", "review", "problems", "other"]


@pytest.mark.parametrize(
    "numbers",
    [
        "一、 二、 三、 四、 五、 六、",
        "一、 二、 八、 九、 十一、 十二、",
        "（一） （二） （三） （四） （五） （六）",
        "1. 2. 3. 4. 5. 6.",
        "第一部分、 第二部分、 第三部分、 第四部分、 第五部分、 第六部分、",
    ],
)
def test_headings_of_any_numbering(numbers: str) -> None:
    lines: list[str] = []
    for number, title in zip(numbers.split(), SIX, strict=True):
        lines += [f"{number}{title}", f"{title}的正文。"]
    chapters = chapters_of(*lines)
    assert [name for name, _, _ in chapters] == SIX_NAMES
    assert [text for _, _, text in chapters] == [f"{title}的正文。" for title in SIX]


def test_headings_in_traditional_characters() -> None:
    lines = [
        "一、總體情況",
        "甲。",
        "二、主動公開政府信息情況",
        "乙。",
        "四、政府信息公開行政復議、行政訴訟情況",
        "丙。",
    ]
    assert chapters_of(*lines) == [
        ("overview", "一、總體情況", "甲。"),
        ("proactive", "二、主動公開政府信息情況", "乙。"),
        ("review", "四、政府信息公開行政復議、行政訴訟情況", "丙。"),
    ]
    assert names_of(" ".join(lines)) == ["overview", "proactive", "review"]
    unnumbered = chapters_of("總體情況", "甲。", "主動公開政府信息情況", "乙。")
    assert [heading for _, heading, _ in unnumbered] == ["總體情況", "主動公開政府信息情況"]


def test_the_chapters_of_the_first_regulations_on_one_line() -> None:
    titles = [
        "概述", "主动公开政府信息的情况", "依申请公开政府信息和不予公开政府信息的情况", "政府信息公开的收费及减免情况",
        "因政府信息公开申请行政复议、提起行政诉讼的情况", "政府信息公开工作存在的主要问题及改进情况", "其他需要报告的事项",
    ]  # fmt: skip
    text = " ".join(f"{number}、{title} 无。" for number, title in zip("一二三四五六七", titles, strict=True))
    assert names_of(text) == ["overview", "proactive", "requests", "other", "review", "problems", "other"]
    text = " ".join(f"{number}、{title} 无。" for number, title in zip("壹贰叁", titles, strict=False))
    assert names_of(text) == ["overview", "proactive", "requests"]


def test_headings_without_numbers_and_some_lost() -> None:
    lines = [
        "一、总体情况",
        "甲。",
        "主动公开政府信息情况",
        "乙。",
        "三、收到和处理政府信息公开申请情况",
        "丙。",
    ]
    assert names_of(*lines) == ["overview", "proactive", "requests"]
    assert names_of(*[line.removeprefix("一、").removeprefix("三、") for line in lines]) == [
        "overview",
        "proactive",
        "requests",
    ]


def test_lower_headings_stay_in_their_chapter() -> None:
    chapters = chapters_of(
        "一、总体情况",
        "（一）主动公开情况。公开12条。",
        "（二）依申请公开情况。收到3件。",
        "二、主动公开政府信息情况",
        "三、收到和处理政府信息公开申请情况",
    )
    assert [name for name, _, _ in chapters] == ["overview", "proactive", "requests"]
    assert chapters[0][2] == "（一）主动公开情况。公开12条。\n（二）依申请公开情况。收到3件。"
    assert chapters[1][2] == ""


def test_titles_told_inside_sentences_are_no_headings() -> None:
    text = "全文包括一、总体情况，二、主动公开政府信息情况，三、收到和处理政府信息公开申请情况等六部分。"
    assert chapters_of(text) == [("whole", "", text)]


def test_a_whole_report_on_one_line() -> None:
    line = (
        "某局2020年报告。一、总体情况2020年，我局认真落实。二、主动公开政府信息情况 公开12条。"
        "三、收到和处理政府信息公开申请情况收到3件。四、存在的主要问题及改进情况：内容不够。"
    )
    chapters = chapters_of(line)
    assert [name for name, _, _ in chapters] == ["overview", "overview", "proactive", "requests", "problems"]
    assert [text for _, _, text in chapters][1:] == [
        "2020年，我局认真落实。",
        "公开12条。",
        "收到3件。",
        "内容不够。",
    ]


def test_headings_of_other_words_are_told_by_their_keywords() -> None:
    chapters = chapters_of(
        "一、概述",
        "甲",
        "三、推进政务公开重点工作情况",
        "乙",
        "八、依申请公开工作详细情况",
        "丙",
        "九、政府信息公开相关举报、复议、诉讼情况",
        "丁",
    )
    assert [name for name, _, _ in chapters] == ["overview", "other", "requests", "review"]
    assert chapters[1][1] == "三、推进政务公开重点工作情况"


def test_a_table_of_contents_gives_no_chapters() -> None:
    contents = ["一、概述", "二、主动公开情况", "三、依申请公开情况"]
    chapters = chapters_of(*contents, "一、概述", "甲", "二、主动公开情况", "乙", "三、依申请公开情况", "丙")
    assert [text for _, heading, text in chapters if heading] == ["甲", "乙", "丙"]


def test_sentences_that_begin_with_a_number_are_no_headings() -> None:
    lines = [
        "一、总体情况",
        "一是公开。",
        "1.5万条信息",
        "二、主动公开政府信息情况",
        "三、收到政府信息公开申请12件。",
    ]
    assert names_of(*lines) == ["overview", "proactive"]


def test_no_text_is_lost_or_invented() -> None:
    lines = ["前言。", "一、总体情况", "甲。", "二、主动公开政府信息情况", "乙。"]
    everything = "".join(heading + text for _, heading, text in chapters_of(*lines))
    assert everything == "".join(lines)


def test_no_prose_no_chapters() -> None:
    assert chapters_of() == []
    assert chapters_of("  ") == []


@pytest.mark.parametrize(
    "text", ["一、" * 5_000_000, "一、总体情况" * 1_600_000, "第一" * 5_000_000, " " * 10_000_000]
)
def test_hostile_prose_is_bounded_and_named(text: str) -> None:
    start = time.process_time()
    chapters = chapters_of(text)
    assert time.process_time() - start < 3
    assert sum(len(text) for _, _, text in chapters) <= MOST_CHARACTERS
    assert f"{len(text):,}" in limits_note(Document("text", (Paragraph(text),)))
    assert limits_note(Document("text", (Paragraph("短。"),))) == ""


def test_cells_printed_a_line_each_are_no_prose_and_what_stands_between_them_is() -> None:
    table = ["第二十条第（一）项", "信息内容", "本年制发件数", "规章", "1", "行政许可", "12"]
    lines = [
        f"二、{SIX[1]}",
        *table,
        "另有3件在办理中",
        "商业 企业",
        *"34",
        f"三、{SIX[2]}",
        "全年收到申请5件。",
    ]
    document = Document("text", tuple(Paragraph(text) for text in lines))
    _, chapters = read_narrative(document, 2020, of_tables=match(document).of_tables)
    assert [(chapter.heading, chapter.text) for chapter in chapters] == [
        (f"二、{SIX[1]}", "另有3件在办理中"),
        (f"三、{SIX[2]}", "全年收到申请5件。"),
    ]
