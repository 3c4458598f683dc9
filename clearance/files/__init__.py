"""Files and PDFs.

Storage, validation of uploads, tables from spreadsheets, quotas, previews, typesetting and signing.
Knows nothing about requests.
"""
