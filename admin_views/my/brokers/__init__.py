"""The brokers of the agent's organisation."""
