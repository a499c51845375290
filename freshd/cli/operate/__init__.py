"""The verbs that act: one module per verb."""
