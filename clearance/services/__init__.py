"""The engine behind every service.

The schema of definitions, their published versions, and the registries of guards, effects, flows
and facts.
"""
