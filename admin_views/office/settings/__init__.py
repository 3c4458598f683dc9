"""Settings and reference data kept by the office."""
