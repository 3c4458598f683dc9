"""Services at the office: their order, whether they are offered, and their versions."""
