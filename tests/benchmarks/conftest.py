"""The server that `make run` starts and the browser, as the browser tests have them."""

from tests.browser.conftest import browser_type_launch_args, server

__all__ = ["browser_type_launch_args", "server"]
