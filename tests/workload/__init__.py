"""Tests of the sample workload and of the chart that runs it."""
