"""Files and PDFs.

Storage, validation of uploads, quotas, previews, typesetting and signing. Knows nothing about
requests.
"""
