"""Azure's own rules, a module for each service or matter; ``tables`` lists them in the order in which they are asked.

A rule looks at one request and at what stands in the cloud, and refuses as Azure does. Each names its evidence.
"""
