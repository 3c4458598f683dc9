"""Broker transfers between organisations: parties, consents, guards, effects, definition."""
