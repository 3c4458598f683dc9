"""The public journeys: registration, codes, sign-in, reset, pages."""

from flask import Blueprint

blueprint = Blueprint("public", __name__)
