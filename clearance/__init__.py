"""Domain layer of the portal: models, rules and use cases; no HTML, widgets or admin screens."""
