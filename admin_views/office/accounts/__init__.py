"""Users and staff at the office."""
