"""Exams of clearing agents.

Sittings, seating, results, how long a pass counts, and the definition of the exam service.
"""
