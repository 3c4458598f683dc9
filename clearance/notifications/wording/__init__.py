"""The shipped texts of every notification in Arabic and English, by subject."""
