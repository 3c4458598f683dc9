"""The form all others derive from: texts in the page's language, unknown fields found."""

from collections.abc import Sequence
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import FieldList, FormField

from forms.wtforms_texts import TextsMeta

_ENCLOSING = (FieldList, FormField)


class BaseForm(FlaskForm):
    """A form that knows what was posted besides its fields, and what the person is called.

    ALSO_POSTED: names of buttons and the like that a post may carry besides the fields.
    known_words: what a chosen password must not be made of, besides sibling fields; set by views
    that know the user (see `StrongPassword`). judges_passwords: False while something cheaper has
    refused the post already, for judging is slow (security rule 41).
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
        """Names that were posted but are no field of this form, sorted: ignored, worth a log line.

        Source: security requirement 23.
        """
        fields = {field.name for field in self}
        enclosures = tuple(f"{field.name}-" for field in self if isinstance(field, _ENCLOSING))
        return sorted(
            name
            for name in self._posted_names - fields - self.ALSO_POSTED
            if not name.startswith(enclosures)
        )

    def error_list(self) -> list[tuple[Any, str]]:
        """All (field, message) in the order of the fields, for the summary on top of the page."""
        return [(field, str(message)) for field in self for message in field.errors]
