"""Tests of the regional stamp."""
