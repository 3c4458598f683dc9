"""Office settings and reference data."""
