"""Figures of the office: summaries by day, week, month and year that one job keeps.

`summaries` counts and writes, `reading` reads for the dashboard and its files, `weekly` sends the
report by e-mail. Nothing else reads requests for a figure, so that a page costs the same with ten
requests and with a million.
"""
