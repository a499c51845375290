"""What replicas and images hold now: Docker's answers in, ``Observation`` and ``ImageFacts`` out.

Nothing here changes a container. What cannot be read is UNREADABLE with a reason, or the
observation's ``problem``: never silently missing and never silently equal.
"""
