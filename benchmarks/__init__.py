"""How fast freshd is, beside what people use today."""
