"""How agencies write numbers: digits, signed changes, amounts with and without their unit."""

from __future__ import annotations

from decimal import Decimal

DASHES = ("/", "-", "—", "——", "无", "\\")
DIGITS = ("plain", "full width", "thousands", "annotated", "inner spaces")
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def digits(value: int, style: str) -> str:
    """12345 as `12345`, `１２３４５`, `12,345`, `12345（其中修订 16 件）` or `12 345`."""
    if style == "full width":
        return str(value).translate(_FULL_WIDTH)
    if style == "thousands":
        return f"{value:,}"
    if style == "annotated" and value % 3 == 2:
        return f"{value}（其中修订 {value // 2} 件）"
    if style == "inner spaces" and value > 9:
        return f"{str(value)[:-1]} {str(value)[-1]}"
    return str(value)


def change(value: int, style: str) -> str:
    """A signed change: `-38`, `+19` (plus), `减38` and `增19` (word); a rise is often unsigned (sign)."""
    if style == "word" and value:
        return f"{'增' if value > 0 else '减'}{abs(value)}"
    if style == "plus" and value > 0:
        return f"+{value}"
    return str(value)


def plain(value: Decimal) -> str:
    """Without exponent and trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_ten_thousands(yuan: Decimal) -> str:
    return plain(yuan / 10000)


def amount(yuan: Decimal, style: str) -> tuple[str, str, bool]:
    """(cell text, unit in the header, whether anybody can know the unit)."""
    if style == "万元 in header":
        return in_ten_thousands(yuan), "万元", True
    if style == "万 in header, 元 in cell":
        return f"{plain(yuan)}元", "万元", True
    if style == "none":
        return plain(yuan), "", False
    if style in ("万", "万元"):
        return f"{in_ten_thousands(yuan)}{style}", "", True
    if style == "元":
        return f"{plain(yuan)}元", "", True
    raise ValueError(f"unknown way to print an amount: {style}")
