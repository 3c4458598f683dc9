"""What is said to the operator when a backup cannot be made, believed or restored."""

from __future__ import annotations


class BackupError(Exception):
    """A refusal in one plain sentence; nothing was left half done."""
