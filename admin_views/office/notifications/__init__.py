"""Outbox and message texts at the office."""
