"""Can freshd work here: one module per part of the world, each giving diagnoses with their fix.

``machine`` checks this computer, ``engine`` Docker, ``own`` the files of freshd itself, ``project``
the project, where there is one; ``checkup`` asks them all. What judges takes values and is pure;
what asks the system is beside it and thin.
"""
