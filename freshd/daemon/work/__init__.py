"""Which service is due next, and what is done with it: marks in, passes made.

``queue`` keeps the marks and ``coalescing`` says when they are due; ``pool`` has the threads and
``worker`` makes a pass of each item. ``requeue`` marks again after saves and failures,
``tree_guard`` halts where the tree looks like an accident, ``incidents`` opens and closes them.
"""
