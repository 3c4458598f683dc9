"""Benchmarks of the portal at scale; every module is a program, README.md has the figures."""
