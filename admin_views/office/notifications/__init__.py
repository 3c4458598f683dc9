"""The outbox and the texts of notifications at the office."""
