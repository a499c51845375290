"""Every cause this version knows, by the link it parts: slug, meaning, what helps. Pure."""
