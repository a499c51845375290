"""Everything about one path, for ``freshd explain``: where it lands, what leaves it out.

``path`` finds it out, ``answers`` asks the policy; the values are in ``freshd.model.verbs``.
"""
