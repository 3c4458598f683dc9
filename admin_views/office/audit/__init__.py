"""The audit trail at the office."""
