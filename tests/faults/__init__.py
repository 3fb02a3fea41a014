"""Faults: what tests let go wrong, and the long sweep over every resource and over random kills."""
