"""Licences and brokers at the office."""
