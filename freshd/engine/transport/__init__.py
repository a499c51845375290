"""The way to an engine: endpoint, HTTP, ssh and raw streams, each call with a deadline."""
