"""What verbs come to: values that ``commands`` makes and ``render`` shows."""
