"""The entry of the bootstrap program: `pulumi -C bootstrap up`."""

import importlib
import sys
from pathlib import Path

# The engine runs a program from its own folder, and the packages lie beside that.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
importlib.import_module("bootstrap.program").deploy()
