"""The project's own command."""
