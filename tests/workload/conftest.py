"""Puts the sample's package, which lies inside the chart, on the path."""

import sys
from pathlib import Path

CHART = Path(__file__).parents[2] / "workload" / "chart"
sys.path.insert(0, str(CHART))
