"""`python -m tutor`: see `tutor.cli.main`."""

import signal
import sys

from tutor.cli.main import main

if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        # `… | head` ends us quietly, as it ends other programs
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # a terminal without ∂ gets \u2202, never a crash
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
