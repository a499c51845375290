"""The image link: what an image holds, which layer wrote it, what it was built from.

An image in, or a service's snapshot; ``ImageFacts`` or a part of the service's ``RuntimeFacts``
out. ``content`` (in front of it ``cache``) reads files, ``layers`` and ``attribution`` name the
layer, ``prefetch`` reads layers ahead. ``provenance``, ``origin``, ``bases`` and ``other_builders``
are about its build, ``build_products`` and ``artefacts`` about what that made.
"""
