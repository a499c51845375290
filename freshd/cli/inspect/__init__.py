"""The verbs that look and change nothing: one module per verb."""
