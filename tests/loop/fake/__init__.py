"""A Docker engine in memory: images and containers are dictionaries, Compose a handful of lines.

It stands where the socket and the docker command would: below ``freshd.engine``, which is real, and
so is everything above. It is faithful where a pass could notice, and knows nothing of freshd but
the few constant scripts that freshd runs in containers.
"""
