"""`python -m fedka`: the command line where no `fedka` script is on the path."""

import sys

from fedka.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
