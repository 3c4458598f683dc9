"""Clearing agents' exams: sittings, seating, results, passes and the service definition."""
