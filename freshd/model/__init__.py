"""The frozen values that cross rooms, the errors, and pure questions about both.

Paths are ``str`` decoded with surrogateescape. Digests are 64 lower-case hex digits of sha256.
Times are seconds since the epoch as ``float`` unless the name ends in ``_ns``.
"""
