"""The real engine against the simulated Azure."""
