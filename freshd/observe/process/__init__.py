"""The process link: what runs in a container, since when, and what it keeps in caches.

One replica in, a part of its ``ReplicaRuntime`` out: ``running`` (with ``processes`` and
``landing``), ``bytecode``, ``opcache``, ``probes``, ``logs``. ``upstreams`` looks at the service
as a whole.
"""
