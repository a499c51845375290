"""``freshd run``: projects watched, services passed one by one, ``status`` kept true."""
