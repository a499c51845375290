"""Into one container: a full id and exact paths in, values out.

``archive`` gets and puts files, ``exec`` runs one command, ``shell_session`` keeps a shell for many
(``shell_output`` reads what it prints). ``host_paths`` says what a look at a container would make
on this machine.
"""
