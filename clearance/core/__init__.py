"""Foundations of all packages, without domain logic: settings, database, clock, values, audit."""
