"""A simulated Azure that the real Pulumi engine deploys to.

Owns the resource provider for ``azure-native`` and ``azuread``, the cloud behind it and the command line that starts
both.
It knows nothing of the program that is deployed and imports none of it.
"""
