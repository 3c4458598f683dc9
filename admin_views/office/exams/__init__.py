"""Exams at the office: sittings and results."""
