"""Base class of all forms: localised messages and detection of unknown fields."""

from collections.abc import Sequence
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import Field, FieldList, FormField

from forms.wtforms_texts import TextsMeta


class Enclosing(Field):
    """A field that encloses others, whose names begin with its own and a hyphen."""


_ENCLOSING = (FieldList, FormField, Enclosing)
_ALWAYS_POSTED = frozenset({"csrf_token", "form_key", "_language"})


class BaseForm(FlaskForm):
    """Base class of all forms.

    ALSO_POSTED: names that may be posted besides the fields and what forms of every page have.
    known_words: words that a new password must not consist of, besides sibling fields; set by views
    that know the user (see `StrongPassword`). judges_passwords: False if the post is refused
    already, since judging passwords is slow (security rule 41).
    """

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset()
    known_words: Sequence[str | None] = ()
    judges_passwords = True

    _posted_names: frozenset[str] = frozenset()

    Meta = TextsMeta

    def process(self, formdata: Any = None, *args: Any, **kwargs: Any) -> None:
        posted = self.meta.wrap_formdata(self, formdata)
        self._posted_names = frozenset(posted) if posted is not None else frozenset()
        super().process(posted, *args, **kwargs)

    def unknown_fields(self) -> list[str]:
        """Return posted names that are not fields of this form, sorted, for logging.

        Source: security requirement 23.
        """
        fields = {field.name for field in self}
        enclosures = tuple(f"{field.name}-" for field in self if isinstance(field, _ENCLOSING))
        return sorted(
            name
            for name in self._posted_names - fields - self.ALSO_POSTED - _ALWAYS_POSTED
            if not name.startswith(enclosures)
        )

    def error_list(self) -> list[tuple[Any, str]]:
        """Return all (field, message) in field order, for the error summary of the page."""
        return [(field, str(message)) for field in self for message in field.errors]
