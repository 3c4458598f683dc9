"""Requests at the office: queues, review and steps on one or many."""
