"""The manifests on a real control plane: `make test-cluster`."""
