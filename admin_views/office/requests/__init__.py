"""Requests at the office: queues, review, actions on one or many."""
