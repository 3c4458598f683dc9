"""Flask extensions; `app.py` binds them to the application."""

from __future__ import annotations

from flask_compress import Compress
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect

from clearance.models import Base

db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"expire_on_commit": False},
)
compress = Compress()
csrf = CSRFProtect()
login_manager = LoginManager()
