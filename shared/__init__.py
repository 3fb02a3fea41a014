"""The shared services of a fleet: Front Door, registry, workspace, base firewall rules. One stack a fleet."""
