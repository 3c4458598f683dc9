"""HTTP infrastructure.

Security headers, logging, error pages, template globals, downloads, CSV exports and web fonts.
"""
