"""The agent's home page."""
