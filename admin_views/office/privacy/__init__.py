"""Privacy at the office: what is deleted when, legal holds, and who read whose papers."""
