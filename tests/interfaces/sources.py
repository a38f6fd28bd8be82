"""Texts and codes that the source uses, found by reading it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "optimizer"
TEXT_CALLS = {"text", "say", "draw_empty", "_line"}
ERRORS = {"RefusedInput", "BadSettings", "NotFound", "Conflict", "Forbidden", "Infeasible"}
ERRORS |= {"BadTable", "_refuse"}


def trees(folder: str = ".") -> Iterator[ast.Module]:
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in names:
                yield node


def strings(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def interface_texts() -> set[str]:
    """English texts written out in calls of the interfaces; page names are not texts."""
    arguments = (
        argument
        for tree in trees("interfaces")
        for call in calls(tree, TEXT_CALLS)
        for argument in call.args
        if isinstance(argument, ast.Constant | ast.IfExp)
    )
    found = {text for argument in arguments for text in strings(argument)}
    return found - {"imports", "queue", "CNY", "currency"}


def interface_literals() -> set[str]:
    """Every string in the interfaces, for texts that reach a call by way of a name."""
    return {text for tree in trees("interfaces") for text in strings(tree)}


def raised_codes() -> set[str]:
    """Codes of errors raised anywhere in the package."""
    return {
        call.args[0].value
        for tree in trees()
        for call in calls(tree, ERRORS)
        if call.args and isinstance(call.args[0], ast.Constant)
    }


def guardrail_codes() -> set[str]:
    """Codes paired with a condition in a call of `first_code`, without those for inner use."""
    pairs = (
        pair.elts[1]
        for tree in trees()
        for call in calls(tree, {"first_code"})
        for pair in ast.walk(call)
        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2
    )
    constants = (pair.value for pair in pairs if isinstance(pair, ast.Constant))
    return {code for code in constants if isinstance(code, str)} - {
        "moved",
        "held",
        "state",
        "blocked",
    }


def alert_codes() -> set[str]:
    """Codes of the alerts of a review."""
    dicts = (
        node for tree in trees("review") for node in ast.walk(tree) if isinstance(node, ast.Dict)
    )
    return {
        value.value
        for found in dicts
        for key, value in zip(found.keys, found.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "code" and isinstance(value, ast.Constant)
    }
