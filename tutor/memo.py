"""What can be made again at any time, kept while there is room for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MOST = 2048


class Memo(dict[Any, Any]):
    """A dict that starts anew when it is full. Threads may share it: what two make is the same."""

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` makes, made once."""
        found = self.get(key)
        if found is None:
            found = self[key] = make()
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= MOST:
            self.clear()
        super().__setitem__(key, value)
