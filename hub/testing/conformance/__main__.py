"""``python -m hub.testing.conformance --home DIR --name NAME``."""

import sys

from hub.testing.conformance.run import main

if __name__ == "__main__":
    sys.exit(main())
