"""The audit trail, read at the office."""
