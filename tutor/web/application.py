"""The application as every process has it, with its places: a worker, and one for long work.

placed() -> PlacedApplication       each process calls this once
warm()                              a worker then reads the shelf before the first reader asks
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, Final

from tutor.web.places import PlacedApplication

if TYPE_CHECKING:
    from flask import Flask

TURN: Final = 0.001
"""Seconds that a thread keeps the interpreter while a page waits for it."""
STORE_WAS_THERE: Final = "TUTOR_STORE_WAS_THERE"
"""In the environment of the processes, where the store of saved lessons was there at the start."""


def placed() -> PlacedApplication:
    """The app with its places."""
    sys.setswitchinterval(TURN)
    app = _app()
    store = app.extensions["tutor"].saving.store
    if STORE_WAS_THERE in os.environ and store is not None:
        store.expect()
    return PlacedApplication(app)


def warm() -> None:
    """Read a full shelf; then leave what is there by now, and stays, out of every later collection
    of garbage: to go through it takes a tenth of a second, in which nobody is answered.
    """
    _app().extensions["tutor"].library.steps()
    gc.collect()
    gc.freeze()


def _app() -> Flask:
    found: Flask = importlib.import_module("app").app
    return found
