"""The only package that talks to Docker: API, archives, execs, events, and the Compose CLI.

In: an ``Endpoint`` and full container or image ids. Out: values of ``freshd.model``, bytes, and
errors of ``freshd.model.errors``; no type or exception of the SDK leaves this package.
"""
