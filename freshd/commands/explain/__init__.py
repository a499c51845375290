"""Everything about one path, for ``freshd explain``: where it lands, what leaves it out.

``look`` finds it out, ``answers`` asks the policy, ``values`` are what is said, ``report`` says it.
"""
