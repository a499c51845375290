"""What policy fits a repository, and why: facts of its services in, a proposed policy out. Pure.

``unwrap`` and ``commands`` tell from a command line how a service takes up new code (``servers``
are their tables), ``languages`` what its files are, ``rules`` what should be done about which,
``text`` writes it down as TOML that teaches. ``freshd.commands.init.scout`` brings the facts.
"""
