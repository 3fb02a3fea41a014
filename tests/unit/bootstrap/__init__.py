"""Tests of the bootstrap program."""
