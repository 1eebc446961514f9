"""Logs hold no token: a link in a mail is as good as a password until its time is over."""

from __future__ import annotations

import logging
import re

from newsletter.links import Purpose

_TOKEN = re.compile(rf"(/newsletter/(?:{'|'.join(Purpose)})/)[^/\s\"']+")


class WithoutTokens(logging.Filter):
    """Takes the tokens out of the addresses that a line names."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "/newsletter/" in text:
            record.msg, record.args = _TOKEN.sub(r"\1…", text), ()
        return True
