"""``python -m hub.testing.reference FOLDER [--check]``."""

import sys

from hub.testing.reference import main

sys.exit(main())
