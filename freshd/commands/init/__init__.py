"""What policy fits a repository, and why: facts of its services in, a proposed policy out. Pure.

``rules`` decides what should be done about which files, ``services`` how each service takes up new
code, ``reach`` answers small questions about a service's files, and ``text`` writes it all down as
TOML with comments. ``detect`` alone is not pure: it reads the facts from tree and engine.
"""
