"""Exam sittings and results at the office."""
