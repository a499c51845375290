"""What a policy is and what it wants done: findings in, a plan out. Pure.

``rules`` are the frozen values, ``match`` finds the rule of a finding and what forbids it,
``merge`` makes steps of many requests, ``decide`` puts them together; ``failures``, ``halts`` and
``consent`` are the brakes.
"""
