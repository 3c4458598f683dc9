"""The agent's first page."""
