"""What can be made again at any time, kept while there is room for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
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


class Kept:
    """The last things that were made, as many as fit into `most` bytes by the estimate of `size`.
    One that is larger than all the room is made each time. Keys count for nothing, so they must
    hold nothing large.
    """

    def __init__(self, most: int, size: Callable[[Any], int]) -> None:
        self.most, self._size = most, size
        self._found: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` makes for this key; two threads that ask at once may both make it, and get
        the first.
        """
        found = self.get(key)
        return self.keep(key, make()) if found is None else found

    def get(self, key: Hashable) -> Any:
        """What was kept for this key, or None."""
        with self._lock:
            found = self._found.get(key)
            if found is None:
                return None
            self._found.move_to_end(key)
            return found[0]

    def keep(self, key: Hashable, made: Any) -> Any:
        """Keep what was made for this key, and return it; or what is kept already."""
        size = self._size(made)
        with self._lock:
            if key in self._found:
                return self._found[key][0]
            if size <= self.most:
                self._found[key] = made, size
                self.bytes += size
            while self.bytes > self.most:
                self.bytes -= self._found.popitem(last=False)[1][1]
        return made

    def __len__(self) -> int:
        return len(self._found)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._found.clear()
            self.bytes = 0
