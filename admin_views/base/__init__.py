"""Base views, closed by default, with access control, lists, filters, formatters, navigation."""
