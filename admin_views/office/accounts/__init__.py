"""User and staff accounts at the office."""
