"""Runs the command: ``python -m stamps.preflight``."""

import sys

from stamps.preflight.command import main

sys.exit(main())
