"""What every component uses and what knows no product: words, names, roles, diagnostics, private endpoints."""
