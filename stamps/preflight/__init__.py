"""What only a subscription can tell before the first ``pulumi up``: providers, quotas, zones, names, certificates."""
