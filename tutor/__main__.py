"""`python -m tutor`: see `tutor.cli.main`."""

import signal
import sys

from tutor.cli.main import main

if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` ends us quietly, as it ends other programs
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without ∂ gets \u2202, never a crash
    sys.exit(main())
