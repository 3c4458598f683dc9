"""Services that an agent can start."""
