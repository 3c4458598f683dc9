"""The one list of views of both areas."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Install."""
