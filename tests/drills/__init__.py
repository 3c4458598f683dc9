"""Drills: long exercises on the real thing, run by hand (`python -m tests.drills.…`)."""
