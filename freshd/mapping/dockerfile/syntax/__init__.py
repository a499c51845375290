"""The text of a Dockerfile: text in; instructions, words and variables out. Pure.

``parse`` makes instructions, ``words`` splits one of them, ``expand`` puts variables in, and
``outline`` tells what is said beside files: the command, settings, RUNs.
"""
