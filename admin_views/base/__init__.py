"""The closed base views and what all views share.

Access control, lists, filters, formatters, navigation, forms posted once.
"""
