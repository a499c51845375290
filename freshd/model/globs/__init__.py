"""Wildcards, matched in time that grows with the text and never explodes.

Whoever reads a pattern makes ``nodes`` of it; ``matcher`` finds a way to match them.
"""
