"""Into one container: a full id and exact paths in, values out.

``archive`` gets and puts files, ``contents`` reads many by it (``archive_roots`` says in which
archives), ``exec`` runs one command, ``shell_session`` keeps a shell for many
(``shell_output`` reads what it prints). ``host_paths`` says what a look at a container would make
on this machine.
"""
