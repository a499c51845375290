"""Can freshd work here: one module per part of the world, each giving diagnoses with their fix.

``machine`` looks at this computer, ``engine`` at Docker, ``own`` at what is freshd's, ``project``
at the project, where there is one; ``checkup`` asks them all. What judges takes values and is pure;
what looks is beside it and thin.
"""
