"""The agent's requests: the list, the form, the details and the batch table."""
