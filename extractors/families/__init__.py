"""The families of portal software, one module each: how lists are read, where articles keep their text.

A family is a module with
  `recognises(page)`            whether a page is of this family (used by `ogi probe`),
  `list_pages(session, start)`  the pages of a list, each with the reports found on it,
  `BODY`                        selectors of the element that holds an article's text, best first,
and, only where an article page does not hold its text itself,
  `article(session, listing)`   the page that does.
Never stores anything and never decides what is fetched when.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from extractors.families import epoint, gkmlpt, hanweb, json_list, kaipu, lonsun, static
from extractors.listing import Listing
from extractors.page import Page
from extractors.paging import ListPage, Session
from extractors.portals import Start

FAMILIES: dict[str, ModuleType] = {
    "gkmlpt": gkmlpt,
    "hanweb": hanweb,
    "kaipu": kaipu,
    "lonsun": lonsun,
    "epoint": epoint,
    "json_list": json_list,
    "static": static,
}
"""By name; in the order in which a page is tried, the most particular first."""


def list_pages(session: Session, start: Start) -> Iterator[ListPage]:
    """The pages of a list of the session's portal."""
    yield from FAMILIES[session.portal.family].list_pages(session, start)


def article(session: Session, listing: Listing) -> Page | None:
    """The page that holds a listing's text when it is not the listed address itself; else None."""
    rule = getattr(FAMILIES[session.portal.family], "article", None)
    return rule(session, listing) if rule else None


def body_selectors(family: str) -> tuple[str, ...]:
    """Where the text of an article may be: the family's own containers, then everybody's."""
    own: tuple[str, ...] = FAMILIES[family].BODY
    return tuple(dict.fromkeys([*own, *static.BODY]))


def recognise(page: Page) -> str:
    """The family a page belongs to; `static` when nothing says otherwise."""
    return next(name for name, family in FAMILIES.items() if family.recognises(page))
