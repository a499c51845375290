"""Stacks as people have them, brought up by plain docker commands before freshd ever ran.

``kinds.KINDS`` are the untouched ones: each is a function that brings one up in an empty ``Stack``
and returns the ``Truth`` about it.
"""
