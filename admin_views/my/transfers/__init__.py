"""Transfers that the agent's organisation requests or must answer."""
