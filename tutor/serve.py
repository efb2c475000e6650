"""`python -m tutor.serve`: see `tutor.web.server`."""

import sys

from tutor.web.server import main

if __name__ == "__main__":
    sys.exit(main())
