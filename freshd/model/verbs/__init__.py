"""What verbs come to: values that ``commands`` makes and ``render`` shows. Pure.

``diagnosis`` is of ``doctor``, ``explanation`` of ``explain``, ``proposal`` of ``init`` and
``service`` of ``service``.
"""
