"""The named functions and tables that definitions speak of."""
