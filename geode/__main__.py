"""Runs the command: ``python -m geode``."""

import sys

from geode.command import main

sys.exit(main())
