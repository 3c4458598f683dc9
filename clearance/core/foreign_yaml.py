"""YAML that strangers wrote: plain values within bounds, and what is wrong told with its line.

Nothing is constructed but mappings, lists, texts, numbers, truth values and null; days stay text.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import yaml
from flask_babel import lazy_gettext as _l

from clearance.core import values
from clearance.core.errors import DomainError

MOST_BYTES: Final = 1024 * 1024
MOST_VALUES: Final = 100_000
"""Values of one document, those that an alias repeats included."""
DEEPEST: Final = 40
_LARGEST = 10**15
_LONGEST_PLAIN = 100

_TAG = "tag:yaml.org,2002:"
_TEXT = f"{_TAG}str"
_PLAIN = frozenset(f"{_TAG}{name}" for name in ("int", "float", "bool", "null"))
# Control characters other than tab and line ends too.
_HIDDEN = re.compile(
    f"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{values.INVISIBLE}\ufffe\uffff\ud800-\udfff]"
)


class BadYaml(DomainError):
    """The text cannot be read; the message says why, and in which line."""

    status_code = 400


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C is faster
    """Gives events, and what a plain word means."""


@dataclass
class _Open:
    """A list or mapping whose end is not read yet.

    begun: number of values before it. height: levels within it so far. key: its value is next.
    """

    value: list[Any] | dict[str, Any]
    anchor: str | None
    begun: int
    height: int = 0
    key: str | None = None


class _Kept(NamedTuple):
    """What an anchor names. size: how many values it has."""

    value: Any
    size: int
    height: int


def read(data: bytes) -> Any:
    """Return the one document of a UTF-8 file; None for an empty one. Raises: BadYaml."""
    if len(data) > MOST_BYTES:
        most = MOST_BYTES // 1024
        raise BadYaml(_l("The file is too large. The limit is %(most)d KB.", most=most))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault(data.count(b"\n", 0, error.start), _l("Save the file as UTF-8.")) from None
    if hidden := _HIDDEN.search(text):
        raise _fault(text.count("\n", 0, hidden.start()), _INVISIBLE)
    loader = _Loader(text)
    try:
        return _Builder(loader).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _fault(mark.line if mark is not None else 0, _l("This is not valid YAML.")) from None
    finally:
        loader.dispose()


class _Builder:
    """Makes the values of events, one after another: no depth of a file is a depth of calls."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._open: list[_Open] = []
        self._anchors: dict[str, _Kept] = {}
        self._count = 0
        self._documents = 0
        self._root: Any = None

    def document(self) -> Any:
        """Read all events and return what they make."""
        while self._loader.check_event():
            event = self._loader.get_event()
            self._take(event, event.start_mark.line)
        return self._root

    def _take(self, event: Any, line: int) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _fault(line, _l("A second document begins here. One file has one."))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end(line)
        elif isinstance(event, yaml.ScalarEvent) and self._expects_name():
            self._name(event, line)
        elif isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, line)
            self._add(value, line)
            if event.anchor:
                self._anchors[event.anchor] = _Kept(value, 1, 0)
        elif isinstance(event, yaml.AliasEvent):
            self._repeat(event, line)

    def _expects_name(self) -> bool:
        top = self._open[-1] if self._open else None
        return top is not None and isinstance(top.value, dict) and top.key is None

    def _begin(self, event: Any, line: int) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        usual = f"{_TAG}{'map' if is_mapping else 'seq'}"
        if self._expects_name():
            raise _fault(line, _NO_NAME)
        if event.tag not in (None, "!", usual):
            raise _fault(line, _UNKNOWN_TAG)
        begun = self._count
        value: list[Any] | dict[str, Any] = {} if is_mapping else []
        self._add(value, line)
        self._open.append(_Open(value, event.anchor, begun))

    def _end(self, line: int) -> None:
        done = self._open.pop()
        if done.anchor:
            kept = _Kept(done.value, self._count - done.begun, done.height + 1)
            self._anchors[done.anchor] = kept
        self._raise_height(done.height + 1, line)

    def _name(self, event: Any, line: int) -> None:
        top = self._open[-1]
        name = _checked(event.value, line)
        if event.tag not in (None, "!", _TEXT):
            raise _fault(line, _UNKNOWN_TAG)
        if name in top.value:
            raise _fault(line, _l("“%(name)s” is given twice.", name=name))
        top.key = name

    def _scalar(self, event: Any, line: int) -> Any:
        tag = event.tag
        if tag in (None, "!"):
            meant = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
            tag = meant if meant in _PLAIN else _TEXT
        if tag == _TEXT:
            return _checked(event.value, line)
        if tag not in _PLAIN:
            raise _fault(line, _UNKNOWN_TAG)
        # A megabyte of 1:1:1…, a number of base 60, would take minutes.
        if len(event.value) > _LONGEST_PLAIN:
            raise _fault(line, _BAD_NUMBER)
        try:
            value = self._loader.construct_object(yaml.ScalarNode(tag, event.value))
        except (ValueError, KeyError, IndexError, OverflowError, yaml.YAMLError):
            raise _fault(line, _l("This value cannot be read.")) from None
        if isinstance(value, int | float) and not abs(value) < _LARGEST:  # so NaN is refused too
            raise _fault(line, _BAD_NUMBER)
        return value

    def _repeat(self, event: Any, line: int) -> None:
        kept = self._anchors.get(event.anchor)
        if kept is None or self._expects_name():
            raise _fault(
                line, _l("Nothing before this line is named “%(name)s”.", name=event.anchor)
            )
        self._count += kept.size - 1
        self._check_count(line)
        self._raise_height(kept.height, line)
        self._add(copy.deepcopy(kept.value), line)

    def _add(self, value: Any, line: int) -> None:
        self._count += 1
        self._check_count(line)
        self._raise_height(0, line)
        if not self._open:
            self._root = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is not None:
            top.value[top.key] = value
            top.key = None

    def _check_count(self, line: int) -> None:
        if self._count > MOST_VALUES:
            raise _fault(line, _l("The file has too many values."))

    def _raise_height(self, height: int, line: int) -> None:
        """Note that what is open holds something of that height; check the depth."""
        if len(self._open) + height > DEEPEST:
            raise _fault(line, _l("This is nested too deeply."))
        if self._open:
            self._open[-1].height = max(self._open[-1].height, height)


def _checked(text: str, line: int) -> str:
    if _HIDDEN.search(text):
        raise _fault(line, _INVISIBLE)
    return text


def _fault(line: int, text: Any) -> BadYaml:
    """Return the error. line: from 0."""
    return BadYaml(_l("Line %(line)d: %(fault)s", line=line + 1, fault=text))


_INVISIBLE = _l("There is an invisible character. Type the text again.")
_UNKNOWN_TAG = _l("This tag (!) is not allowed.")
_NO_NAME = _l("A name must be plain text.")
_BAD_NUMBER = _l("This is not a number, or it is too large.")
