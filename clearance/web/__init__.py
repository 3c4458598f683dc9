"""What every HTTP answer carries.

Security headers, logging, error pages, template globals, downloads, CSV exports and web fonts.
"""
