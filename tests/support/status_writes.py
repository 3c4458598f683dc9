"""Finds the places in source code that write, or could write, the status of a request.

The check is strict: a write whose table or columns cannot be read from the source is reported too.
A statement that names another table, or only other columns, is not.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

MODEL, COLUMN = "Request", "status"
SETTERS = {"setattr", "__setattr__", "set_attribute", "set_committed_value"}
BULK_WRITERS = {"bulk_update_mappings", "bulk_save_objects"}
BUILDERS = {"update", "sa.update", "sqlalchemy.update", "insert", "sa.insert", "sqlalchemy.insert"}
WITH_VALUES = {"values", "ordered_values", "update", "on_conflict_do_update"}
OTHER_MODEL = re.compile(r"[A-Z][a-z]\w*")
# A part of the text that is computed or filled in is read as "?": it may be anything.
FILLED_IN = re.compile(r"%s|%\(\w+\)s|\{\w*\}")
RAW_SQL = re.compile(
    r"\b(?:update(?:\s+only)?|insert\s+into)\s+(?:\w+\.)?[\"`]?(?:request\b|\?).*?\bset\b"
    rf"(?:(?!\bwhere\b).)*?(?:\b{COLUMN}\b|(?<=set )\?|(?<=, )\?)",
    re.IGNORECASE | re.DOTALL,
)
DEPTH = 5


@dataclass(frozen=True)
class Write:
    """One place: the function around it ("" at the top of a module), its line and its text."""

    function: str
    line: int
    text: str


def writes_in(source: str) -> list[Write]:
    """Every place in a module's source that writes, or could write, the status of a request."""
    module = _Module(ast.parse(source))
    return [
        Write(module.function_around(node), node.lineno, ast.unparse(node))
        for node in module.nodes
        if module.is_write(node)
    ]


class _Module:
    def __init__(self, tree: ast.Module) -> None:
        self.nodes = list(ast.walk(tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self.models = {MODEL}
        self.assigned: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.alias) and node.name == MODEL and node.asname:
                self.models.add(node.asname)
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value:
                for target in getattr(node, "targets", None) or [node.target]:
                    self.assigned.setdefault(ast.unparse(target), []).append(node.value)

    def function_around(self, node: ast.AST) -> str:
        names = []
        while (node := self.parents.get(node)) is not None:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.append(node.name)
        return ".".join(reversed(names))

    def is_write(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Call):
            return self._is_writing_call(node)
        if isinstance(node, ast.Attribute):
            return node.attr == COLUMN and isinstance(node.ctx, ast.Store)
        if isinstance(node, ast.Subscript):
            is_row = re.search(r"\bvars\(|__dict__$", ast.unparse(node.value)) is not None
            return is_row and isinstance(node.ctx, ast.Store) and _may_be_status(node.slice)
        is_part = isinstance(self.parents.get(node), ast.JoinedStr | ast.BinOp)
        return not is_part and RAW_SQL.search(_sql_of(node)) is not None

    def _is_writing_call(self, call: ast.Call) -> bool:
        name, place = _name_of(call.func), ast.unparse(call.func)
        if name in SETTERS:
            return len(call.args) < 2 or _may_be_status(call.args[-2])
        if name in BULK_WRITERS:
            return not call.args or self._may_be_request(call.args[0])
        if name in self.models:  # merge(Request(id=…, status=…)) is an UPDATE too
            return _gives_status(call)
        if place in BUILDERS:
            is_bare = name == "update" and not self._has_values(call)
            return is_bare and self._may_be_request(call.args[0])
        if name == "update" and not _is_readable(call) and "query" not in place:
            return False  # of a dict or a set
        return name in WITH_VALUES and _gives_status(call) and self._is_of_request(call.func)

    def _has_values(self, call: ast.AST) -> bool:
        """Whether update(X) goes on to .values(…), which is judged by itself."""
        chain = [call]
        while isinstance(parent := self.parents[chain[-1]], ast.Attribute | ast.Call):
            if isinstance(parent, ast.Call) and parent.func is not chain[-1]:
                break
            chain.append(parent)
        return any(_name_of(node) in WITH_VALUES for node in chain[1:])

    def _is_of_request(self, method: ast.expr) -> bool:
        return self._may_be_request(self._table_of(method))

    def _may_be_request(self, table: ast.expr | None, depth: int = 0) -> bool:
        """Whether it names the table of requests, or a table that cannot be read."""
        if isinstance(table, ast.Attribute) and table.attr == "__table__":
            table = table.value
        name = _name_of(table)
        if name in self.assigned and depth < DEPTH:
            return any(self._may_be_request(each, depth + 1) for each in self.assigned[name])
        return name in self.models or OTHER_MODEL.fullmatch(name) is None

    def _table_of(self, node: ast.expr, depth: int = 0) -> ast.expr | None:
        """X of update(X).where(…), query(X).filter(…), X.query or X.__table__.update()."""
        if isinstance(node, ast.Call):
            is_begin = ast.unparse(node.func) in BUILDERS or _name_of(node.func) == "query"
            return node.args[0] if is_begin and node.args else self._table_of(node.func, depth)
        if isinstance(node, ast.Attribute):
            is_begin = node.attr in {"query", "__table__"}
            return node.value if is_begin else self._table_of(node.value, depth)
        values = self.assigned.get(_name_of(node), []) if depth < DEPTH else []
        return self._table_of(values[0], depth + 1) if len(values) == 1 else None


def _name_of(node: ast.AST | None) -> str:
    """The last part of a dotted name; "" of anything else."""
    return str(getattr(node, "attr", None) or getattr(node, "id", ""))


def _gives_status(call: ast.Call) -> bool:
    """Whether its arguments set the status, or columns that cannot be read."""
    return any(_may_hold_status(arg) for arg in call.args) or any(
        _may_hold_status(keyword.value) if keyword.arg in {None, "set_"} else keyword.arg == COLUMN
        for keyword in call.keywords
    )


def _is_readable(call: ast.Call) -> bool:
    return bool(call.keywords) or any(isinstance(arg, ast.Dict) for arg in call.args)


def _may_hold_status(columns: ast.expr) -> bool:
    """Whether a dict, or pairs, of columns and values may name the status."""
    if isinstance(columns, ast.Dict):
        return any(key is None or _may_be_status(key) for key in columns.keys)
    if isinstance(columns, ast.Tuple | ast.List):
        pairs = [columns, *columns.elts]
        firsts = [pair.elts[0] for pair in pairs if isinstance(pair, ast.Tuple) and pair.elts]
        return any(_may_be_status(first) for first in firsts)
    return True


def _may_be_status(name: ast.expr) -> bool:
    """Whether a name of a column, or the column itself, may be the status."""
    if isinstance(name, ast.Attribute):
        return any(_name_of(node) == COLUMN for node in ast.walk(name))
    if isinstance(name, ast.Constant | ast.JoinedStr):
        pattern = ".*".join(re.escape(part) for part in _text_of(name).split("?"))
        return re.fullmatch(pattern, COLUMN) is not None
    return True


def _sql_of(node: ast.AST) -> str:
    return " ".join(FILLED_IN.sub("?", _text_of(node)).replace(",", ", ").split())


def _text_of(node: ast.AST) -> str:
    """The text of a string that is written out, with "?" for the parts that are computed."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text_of(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        right = _text_of(node.right) if isinstance(node.op, ast.Add) else ""
        return _text_of(node.left) + right
    return "?" if isinstance(node, ast.expr) else ""
