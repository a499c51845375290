"""The verbs that change nothing: one module per verb."""
