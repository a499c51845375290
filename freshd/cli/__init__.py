"""The command line: one module per verb, one screen, one error boundary (``boundary``).

Heavy libraries are imported inside the verbs that need them: ``--help`` and ``status`` load click
and nothing else of weight.
"""
