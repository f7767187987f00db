"""Why a page was not kept: a closed vocabulary, one code and one sentence each.

The crawl log, the summary and the tests speak these codes only; a new reason is a new line here.
"""

from __future__ import annotations

from extractors.errors import Refused

REFUSED = {
    "robots_disallowed": "robots.txt forbids it",
    "robots_unreachable": "robots.txt cannot be read, so nothing may be asked",
    "host_not_allowed": "the host is not among the portal's allowed hosts",
    "private_address": "the host resolves to an address that is not on the public internet",
    "bad_scheme": "only http and https addresses are asked",
    "redirect_loop": "the redirects go in a circle or are too many",
    "redirect_home": "the page redirects to the home page",
    "challenge": "a browser challenge was sent instead of the page; it is not solved",
    "blocked": "the host refuses the crawler",
    "geo_blocked": "the host refuses visitors from this region",
    "not_found": "the page does not exist",
    "soft_not_found": "a page that says it does not exist, with status 200",
    "stub": "the page is empty or next to empty",
    "other_page": "another page was sent in place of the report",
    "bad_list": "the list is not what the family's rule reads",
    "bad_attachment": "the attachment is an error page or empty",
    "too_large": "larger than the size limit",
    "too_deep": "elements nested deeper than any real page",
    "compressed_bomb": "unpacks to far more than a real page does",
    "bad_encoding": "the Content-Encoding cannot be undone",
    "daily_cap": "the host's daily number of requests is used up",
    "given_up": "the host failed too often in a row and is left alone for this run",
}
"""The answer is known and asking again will not change it soon."""

FAILED = {
    "dns_failed": "the host's name cannot be resolved",
    "connect_failed": "no connection to the host",
    "bad_certificate": "the TLS certificate or handshake is not valid",
    "timeout": "the answer took longer than the time limit",
    "truncated": "the body ended before its announced length",
    "protocol_error": "the answer is not HTTP",
    "server_error": "the host answered with an error of its own",
    "rate_limited": "the host asked to slow down for longer than this run waits",
    "interrupted": "the run was stopped",
    "crashed": "the crawler itself failed on this page; please report it",
}
"""Nothing was learned; another run may succeed."""

RETRIED = frozenset(
    {"connect_failed", "timeout", "truncated", "protocol_error", "server_error", "rate_limited"}
)
"""Worth asking again within a run. A refused page, a bad certificate or an unknown name is not."""

TROUBLE = frozenset({*FAILED, "challenge", "blocked", "geo_blocked", "robots_unreachable"}) - {
    "crashed",
    "interrupted",
    "truncated",
}
"""Signs of a host in trouble or of one that shuts the crawler out; several in a row end its run."""


class NotKept(Refused):
    """A page was refused or could not be had. `code` is of the vocabulary, `detail` what was seen there."""

    def __init__(self, code: str, detail: str = "") -> None:
        sentence = {**REFUSED, **FAILED}[code]
        super().__init__(f"{code}: {sentence}" + (f" ({detail})" if detail else ""))
        self.code = code
        self.detail = detail

    @property
    def outcome(self) -> str:
        """`refused` or `failed`, as the crawl log names it."""
        return "refused" if self.code in REFUSED else "failed"
