"""Whom a portal's operator can write to: every request names somebody, or none is made."""

from __future__ import annotations

import os
from collections.abc import Sequence

from extractors.errors import UserError
from extractors.portals import Portal


def contact_of(chosen: Sequence[Portal], given: str | None) -> str:
    """`--contact`, else `OGI_CONTACT`; `UserError` when nobody is named and real portals are asked."""
    contact = given or os.environ.get("OGI_CONTACT") or ""
    if not contact and any(not portal.manners.allow_private for portal in chosen):
        raise UserError(
            "no contact given; portals' operators must be able to write to you. "
            "Set OGI_CONTACT (or --contact) to your mail or web address"
        )
    return contact or "local test"
