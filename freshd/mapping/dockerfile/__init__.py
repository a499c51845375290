"""What a Dockerfile does with the build context: text and a listing in, an Inference out. Pure.

``infer`` is the way in. ``syntax`` reads the text, ``stages`` sorts it, ``replay`` plays it: what a
COPY does is in ``replay.copying``, and where its files go in ``replay.place``. ``contexts`` are
what it copies from. ``consumed`` and ``fetching`` judge RUNs; ``record``, ``history`` and
``contradicted`` compare with an image that was built.
"""
