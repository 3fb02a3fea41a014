"""Unit tests of the shared services."""
