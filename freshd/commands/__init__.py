"""What a verb does, without a terminal: what was typed in, values out."""
