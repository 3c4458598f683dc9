"""Flask-Admin views: the agents' area and the office, over the same models."""
