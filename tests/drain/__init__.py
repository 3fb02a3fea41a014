"""The way of a request through Front Door and a stamp's gateway, on one machine and from exported stacks.

Real processes of the sample, a small gateway before each, and small edges of Front Door before all of them. Every path,
host, number and rule comes out of the stacks' state. Not modelled: TLS, Front Door's own firewall and the managed rules
of the gateway's, kept connections, and the distance between places.
"""
