"""Texts and codes that the source uses, found by reading it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "optimizer"
TEXT_CALLS = {"text": 0, "say": 0, "draw_empty": 0}
TEXT_NAMES = {"english", "heading", "name", "headings", "names", "verdict"}
ERRORS = {"RefusedInput", "BadSettings", "NotFound", "Conflict", "Forbidden", "Infeasible"}


def trees(*folders: str) -> Iterator[ast.Module]:
    for folder in folders:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in names:
                yield node


def literals(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def interface_texts() -> set[str]:
    """First arguments of text calls that are written out in the interfaces."""
    found = set()
    for tree in trees("interfaces"):
        for call in calls(tree, {"text", "say", "draw_empty", "counts_table"}):
            for argument in call.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.add(argument.value)
                elif isinstance(argument, ast.IfExp):
                    found.update(each for each in literals(argument) if " " in each)
    return found


def raised_codes() -> set[str]:
    """Codes of errors raised anywhere in the package."""
    return {
        call.args[0].value
        for tree in trees(".")
        for call in calls(tree, ERRORS)
        if call.args and isinstance(call.args[0], ast.Constant)
    }
