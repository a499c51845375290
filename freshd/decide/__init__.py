"""What the policy wants done about the findings of one service: these in, a plan out. Pure.

``match`` finds the rule of a finding, ``develop_watch`` makes one of Compose's, ``request`` says
what it asks for and what of that cannot be (``secrets``), ``merge`` makes steps of many requests,
``decide`` puts them together and ``text`` prints the plan. The brakes are ``limits``, ``halts``,
``consent`` and, with a memory, ``brakes``; ``memory`` is what a pass remembers. The policy's values
are ``freshd.model.policy``.
"""
