"""What every other package stands on.

Settings, the database and its transactions, errors, the clock, values, languages, the audit trail.
Knows no subject of the portal.
"""
