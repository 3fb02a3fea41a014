"""The project's own command, for what spans stacks or what the engine alone cannot do. It declares no resource."""
