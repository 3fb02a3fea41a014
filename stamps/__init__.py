"""The regional stamp: everything that one region needs to serve, built from its stack file and the shared contract."""
