"""Subscriptions at the office."""
