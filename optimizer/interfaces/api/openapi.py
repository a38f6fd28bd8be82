"""The description of the API (OpenAPI 3.1), made from the endpoints it describes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from optimizer.interfaces.api import shapes
from optimizer.interfaces.api.endpoints import ENDPOINTS, Endpoint

_STATUSES = {
    "400": "The request is not as described.",
    "401": "No token, or none that is valid.",
    "403": "The token's role does not allow it, or not on this account.",
    "404": "There is no such account, suggestion or file.",
    "405": "Not this way.",
    "409": "It moved since it was read, or its state forbids it.",
    "413": "Too large.",
    "422": "The file, settings or data do not allow it.",
    "507": "The disk is full or cannot be written.",
}
_ACCOUNT = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[\w][\w .\-]{0,63}$"}
_ERROR = {"$ref": "#/components/schemas/Error"}


@cache
def document() -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bid review", "version": "1", "description": "See `optimizer tokens`."},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {"Error": shapes.ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint.query)],
        "responses": _responses(endpoint),
    }
    if endpoint.public:
        told["security"] = []
    if endpoint.upload:
        told["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    if endpoint.body is not None:
        schema = _inlined(endpoint.body.model_json_schema())
        told["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return told


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    schema = {"schema": endpoint.answer} if endpoint.content == "application/json" else {}
    done = {"description": endpoint.summary, "content": {endpoint.content: schema}}
    refusals = {status: _refusal(told) for status, told in _STATUSES.items()}
    return {str(endpoint.status): done, **refusals}


def _refusal(told: str) -> dict[str, Any]:
    return {"description": told, "content": {"application/json": {"schema": _ERROR}}}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", endpoint.path)
    schemas = {"account": _ACCOUNT}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schemas.get(name, {"type": "string", "minLength": 1}),
        }
        for name in names
    ]


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = _inlined(model.model_json_schema())
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _said(told)}
        for name, told in schema.get("properties", {}).items()
    ]


def _said(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of what is said: leaving a parameter out is not a value of it."""
    choices = [each for each in told.get("anyOf", [told]) if each != {"type": "null"}]
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _inlined(schema: Any, known: Mapping[str, Any] | None = None) -> Any:
    """The schema with what it refers to put in place."""
    if isinstance(schema, list):
        return [_inlined(each, known) for each in schema]
    if not isinstance(schema, dict):
        return schema
    known = schema.get("$defs", known)
    if "$ref" in schema and known:
        return _inlined(known[schema["$ref"].rpartition("/")[2]], known)
    return {key: _inlined(each, known) for key, each in schema.items() if key != "$defs"}
