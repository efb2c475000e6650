"""PyTorch, where it is installed (`make oracle`): what only it can tell is skipped elsewhere."""

from __future__ import annotations

import importlib.util

import pytest

INSTALLED = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(
    not INSTALLED, reason="PyTorch is not installed; see `make oracle`"
)
