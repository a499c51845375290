"""Into one container: archives, execs and the kept shell."""
