"""How programs take up new code: by command line, name and settings. Pure."""
