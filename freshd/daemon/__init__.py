"""``freshd run``: projects watched, services passed one by one, ``status`` kept true.

``run`` builds it, ``main_loop`` keeps it until a signal; ``project`` is one project's daemon and
``projects`` all those of ``config.toml`` (``config_file``). ``work`` makes the passes.
``status_board`` and ``daemon_status`` are written down for ``freshd status``; ``log``, ``liveness``
and ``sd_notify`` tell people and supervisors how it goes.
"""
