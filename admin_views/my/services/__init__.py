"""The services an agent can start."""
