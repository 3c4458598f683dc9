"""The office's list of requests beside others over the same tables: bare, stock and Django's."""
