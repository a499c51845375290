"""The container link: which containers there are, and what their paths hold now.

A service's replicas (``members``, ``replicas``) and paths in, an ``Observation`` of each out.
``files`` chooses the way: ``few_files``, ``exec_scan`` (``exec_output`` reads it) or the engine's
archives. ``inherited``, ``names`` and ``overlay`` tell what is still as the image has it.
``excluded``, ``packages`` and ``orphans`` look at what lies around them.
"""
