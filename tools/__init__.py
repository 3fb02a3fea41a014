"""Command line tools of the project: engine installation, house rules, generated files."""
