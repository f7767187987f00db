"""What a printed value says, each way of printing seen in reports."""

from decimal import Decimal

import pytest

from extractors.numbers import is_value_like, read_prose_value, read_value, unit_of_label

COUNTS = [
    ("0", "0", "number"),
    ("１２", "12", "number"),
    ("1 619", "1619", "number"),
    ("1,619", "1619", "number"),
    ("22（其中修订 16 件）", "22", "number"),
    ("3.0", "3", "number"),
    ("12件", "12", "number"),
    ("12①", "12", "number"),
    ("12²", "12", "number"),
    ("12[1]", "12", "number"),
    ("12*", "12", "number"),
    ("1\u00ad2", "12", "number"),
    ("⑫", None, "text"),
    ("²", None, "text"),
    ("暂无", None, "dash"),
    ("N/A", None, "dash"),
    ("", None, "blank"),
    ("\xa0", None, "blank"),
    ("/", None, "dash"),
    ("——", None, "dash"),
    ("无", None, "dash"),
    ("-3", None, "text"),
    ("1.5", None, "text"),
    ("1,23", None, "text"),
    ("12\n3", None, "text"),
    ("详见附件", None, "text"),
    ("9" * 200, None, "text"),
]
CHANGES = [
    ("-417", "-417"),
    ("+19", "19"),
    ("增1558", "1558"),
    ("减38", "-38"),
    ("减少3", "-3"),
    ("–7", "-7"),
    ("增：5", "5"),
    ("减-5", "-5"),
    ("5（减）", "-5"),
    ("5（新增3项，减少1项）", "5"),
    ("6", "6"),
    ("－4", "-4"),
]
AMOUNTS = [
    ("543万", "", "5430000", "number"),
    ("251000元", "", "251000", "number"),
    ("2601.953875万", "", "26019538.75", "number"),
    ("23600万元", "", "236000000", "number"),
    ("477.35", "万元", "4773500", "number"),
    ("0", "", "0", "number"),
    ("8040", "", None, "unit_unknown"),
    ("8040", "件", None, "unit_unknown"),
    ("5（万元）", "", "50000", "number"),
    ("5（元）", "万元", "5", "number"),
    ("共5万元", "", "50000", "number"),
    ("5（年）", "", None, "unit_unknown"),
    ("-5", "万元", None, "text"),
]


@pytest.mark.parametrize(("printed", "value", "kind"), COUNTS)
def test_counts(printed: str, value: str | None, kind: str) -> None:
    assert read_value(printed, "", "count") == (None if value is None else Decimal(value), kind)


def test_a_change_whose_note_tells_of_another_is_not_read() -> None:
    assert read_value("5（减少2项）", "", "change") == (None, "text")


@pytest.mark.parametrize(("printed", "value"), CHANGES)
def test_changes_are_signed(printed: str, value: str) -> None:
    assert read_value(printed, "", "change") == (Decimal(value), "number")


@pytest.mark.parametrize(("printed", "unit", "value", "kind"), AMOUNTS)
def test_amounts_come_out_in_yuan_or_not_at_all(
    printed: str, unit: str, value: str | None, kind: str
) -> None:
    assert read_value(printed, unit, "amount") == (None if value is None else Decimal(value), kind)


def test_a_unit_is_read_from_a_header_only_where_forms_print_one() -> None:
    assert unit_of_label("采购总金额（万元）") == "万元"
    assert unit_of_label("本年收费金额（单位：万元）") == "万元"
    assert unit_of_label("采购总金额") == ""
    assert unit_of_label("本年收费金额（单位：\ufffd元）") == ""  # a damaged 万 must not leave yuan


def test_prose_reads_chinese_numerals_and_says_what_is_approximate() -> None:
    assert read_prose_value("十二", "件", "count") == (Decimal(12), "number")
    assert read_prose_value("260余", "条", "count") == (Decimal(260), "approximate")
    assert read_prose_value("约2.2万", "条", "count") == (Decimal(22000), "approximate")
    assert read_prose_value("3", "", "amount") == (None, "unit_unknown")


@pytest.mark.parametrize("text", ["", "0", "增1558", "251000元", "—", "12（其中2件）"])
def test_these_can_stand_where_a_value_is_wanted(text: str) -> None:
    assert is_value_like(text)


@pytest.mark.parametrize("text", ["规章", "1.属于国家秘密", "2020年", "第3页", "一"])
def test_these_cannot(text: str) -> None:
    assert not is_value_like(text)
