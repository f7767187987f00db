"""Bytes to text: declared, undeclared and lying charsets, damage, and texts that went through a wrong one before."""

from __future__ import annotations

import pytest

from extractors.carrier import carrier_of
from extractors.decode import decode
from tests.reading_back import compare, numbers_of
from tests.simulator.agencies import all_agencies
from tests.simulator.figures import make_report
from tests.simulator.render_text import render_text

TEXT = "某某市人民政府2021年政府信息公开工作年度报告 规章 | 0 | 12 |"


@pytest.mark.parametrize("declared", ["gb2312", "gbk", "utf-8", "no-such-charset", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig", "utf-16"])
def test_the_charset_may_lie(declared: str, encoding: str) -> None:
    assert decode(TEXT.encode(encoding), f"text/html; charset={declared}") == TEXT


def test_one_flipped_byte_does_not_change_the_charset() -> None:
    data = bytearray((TEXT * 20).encode())
    data[4] ^= 0x40
    assert "2021年政府信息公开" in decode(bytes(data))


@pytest.mark.parametrize(("codec", "least"), [("gb18030", 0.5), ("gbk", 0.05)])
@pytest.mark.parametrize("damage", ["replace", "ignore"])
def test_utf8_once_read_as_gbk_is_read_the_other_way(codec: str, least: float, damage: str) -> None:
    """鏀垮簻淇℃伅: characters whose last byte was lost stay lost; no digit changes."""
    report = make_report(3, "2021", all_agencies()[0], 2022)
    saved = render_text(report, "pipe").content.decode(codec, damage).encode()
    assert carrier_of(saved) == "text"
    text = decode(saved)
    assert "年度报告" in text and "行政处罚" in text
    _, numbers = numbers_of(saved, "report.txt")
    difference = compare(report.truth, numbers)
    assert not difference.wrong
    assert len(numbers) > least * len(report.truth)


def test_a_text_about_damage_is_left_alone() -> None:
    assert decode("政府信息公开；乱码为“淇℃伅”".encode()) == "政府信息公开；乱码为“淇℃伅”"
