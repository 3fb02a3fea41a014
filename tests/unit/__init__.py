"""Unit tests; they mirror the source."""
