"""What each instruction does to the file system of its stage: stages in, their state out. Pure.

``replay`` goes through the stages, ``apply`` through their instructions; ``copying`` is COPY and
ADD, ``place`` what one of them puts where, ``volume`` the file system it is put into. ``onbuild``
is about the triggers of a base image that is not here.
"""
