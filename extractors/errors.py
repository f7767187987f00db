"""Errors a person can act on: one sentence with a place, what was expected, what was found, what to do.

The command line prints them without a traceback; anything else that escapes is our own fault.
"""

from __future__ import annotations


class UserError(Exception):
    """Nothing was done: the command ends with exit code 2 and this sentence."""


class Refused(Exception):
    """One file, page or document was refused; the others go on. The message is the reason, without the file's name."""
