"""The domain of the portal: models, rules, use cases; no HTML, no widget, no admin screen."""
