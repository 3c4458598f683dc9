"""Flask-Admin views of the agents' area and the office, over the same models."""
