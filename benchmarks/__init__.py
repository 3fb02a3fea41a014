"""How fast the program is, measured on the real engine against the simulated Azure: ``python -m benchmarks``."""
