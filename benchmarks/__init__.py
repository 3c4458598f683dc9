"""Measurements of the portal at scale; each module is a program, README.md has the figures."""
