"""Reports, maps, plans, history and status as JSON (``documents``) and as lines of text (the rest).

Values of ``freshd.model`` come in; JSON values or ``Line`` tuples go out. Nothing is printed here.
"""
