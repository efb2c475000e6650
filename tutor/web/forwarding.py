"""What a request says about where it comes from and goes to: the reader's address behind proxies,
and the host that was asked.

    trusted_proxies(os.environ)      how many proxies stand in front (BEHIND_PROXY)
    has_one_host(environ)            whether a request names the host that it asks, once
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tutor import number
from tutor.errors import SettingError

NONE: Final = {"", "0", "no", "false", "off"}
ONE: Final = {"1", "yes", "true", "on"}
MOST: Final = 9
_HOST = re.compile(r"(?:[^\s,/?#@:\[\]\\]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def trusted_proxies(environment: Mapping[str, str]) -> int:
    """How many proxies are believed about the reader's address. Raises SettingError."""
    told = environment.get("BEHIND_PROXY", "").strip().lower()
    if told in NONE:
        return 0
    if told in ONE:
        return 1
    proxies = number.whole(told, 1, MOST)
    if proxies is not None:
        return proxies
    raise SettingError(
        f"BEHIND_PROXY is {environment['BEHIND_PROXY'][:40]!r}; it is the number of proxies in "
        f"front of the tutor, 1 to {MOST}, or yes for one, or no"
    )


def has_one_host(environ: Mapping[str, object]) -> bool:
    """Whether there is exactly one Host header, and it is a host. Of two headers, servers make one
    with a comma between.
    """
    return _HOST.fullmatch(str(environ.get("HTTP_HOST", ""))) is not None
