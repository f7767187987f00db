"""One spelling for each address, so that a page found twice is fetched once. Never asks the network."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urldefrag, urljoin, urlsplit, urlunsplit

_SAFE = "%/:=&?~+!$,;'@()*[]|"
_VOLATILE = re.compile(
    r"^(_|_t|t|ts|v|r|rnd|rand|random|time|timestamp|jsessionid|nocache|spm)$", re.IGNORECASE
)
_VOLATILE_VALUE = re.compile(r"^[\d.]{4,}$|^[0-9a-fA-F]{8,}$")
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_HOME = re.compile(r"^/?(index|default|main)?(\.(s?html?|jsp|aspx?|php))?/?$", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL = 2000
_CLEAN = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(?!80/|443/)[1-9]\d{0,4})?/[\w/.~-]{0,500}", re.ASCII
)
"""Most addresses, as they should be."""


@lru_cache(8192)
def canonical(url: str) -> str:
    """The one spelling of an http(s) address; ValueError for anything else.

    Lower-case host without trailing dot or default port, no fragment, no session id, no parameter that
    only changes from rendering to rendering.
    """
    url = url.strip()
    if _CLEAN.fullmatch(url):
        return url
    parts = urlsplit(urldefrag(url)[0])
    if parts.scheme.lower() not in _DEFAULT_PORTS or not parts.hostname or len(url) > MAX_URL:
        raise ValueError(f"{url[:100]!r} is not an http address")
    host = parts.hostname.rstrip(".")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if ":" in host:
        host = f"[{host}]"
    if parts.port and parts.port != _DEFAULT_PORTS[parts.scheme.lower()]:
        host = f"{host}:{parts.port}"
    path = quote(_SESSION.sub("", parts.path), safe=_SAFE) or "/"
    query = quote(parts.query, safe=_SAFE)
    if query and any(
        _is_volatile(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ):
        query = "&".join(pair for pair in query.split("&") if not _is_volatile(*_name_value(pair)))
    return urlunsplit((parts.scheme.lower(), host, path, query, ""))


def join(base: str, link: str) -> str | None:
    """The canonical address a link on page `base` leads to; None for scripts, mail, files and broken ones."""
    link = re.sub(r"[\t\r\n]", "", link).strip()
    if not link or link.startswith("#"):
        return None
    try:
        return canonical(urljoin(base, link))
    except ValueError:
        return None


def host_of(url: str) -> str:
    """Host of a canonical address, with its port only when that is not the scheme's own."""
    return urlsplit(url).netloc.rpartition("@")[2]


def is_home(url: str) -> bool:
    """Whether an address is a site's front page."""
    parts = urlsplit(url)
    return bool(_HOME.match(parts.path)) and not parts.query


def _name_value(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return name, value


def _is_volatile(name: str, value: str) -> bool:
    return bool(_VOLATILE.match(name) and (not value or _VOLATILE_VALUE.match(value)))
