"""Tests of freshd: ``unit`` without an engine, ``engine`` on a real one, ``harness`` for both."""
