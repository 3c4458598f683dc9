"""The security requirements that belong to the whole portal rather than to one room."""
