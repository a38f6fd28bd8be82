"""From a request to a workflow and back: who asks, what they say, what it became."""

from __future__ import annotations

import errno
import json
import logging
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import streamlit as st
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from optimizer import scratch, workflows
from optimizer.errors import (
    BadSettings,
    Conflict,
    Forbidden,
    Infeasible,
    NotFound,
    OptimizerError,
    RefusedInput,
)
from optimizer.interfaces.api.endpoints import ENDPOINTS, Call, Endpoint, json_answer
from optimizer.interfaces.api.openapi import document
from optimizer.interfaces.json_values import plain
from optimizer.interfaces.locale import Translator, pick_language
from optimizer.interfaces.opened import opened
from optimizer.tables import Actor

LOG = logging.getLogger("optimizer.api")
_MEGABYTE = 1_000_000
_STATUS: tuple[tuple[type[OptimizerError], int], ...] = (
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (RefusedInput, 422),
    (BadSettings, 422),
    (Infeasible, 422),
)
_STATUS_OF_CODE = {
    "request_invalid": 400,
    "token_needed": 401,
    "token_not_valid": 401,
    "token_expired": 401,
    "path_unknown": 404,
    "method_not_allowed": 405,
    "request_too_large": 413,
    "store_not_writable": 507,
    "disk_full": 507,
    "something_failed": 500,
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def application() -> Starlette:
    """Every endpoint, and errors in their one form."""
    routes = [Route(each.path, partial(_answer, each), methods=[each.method]) for each in ENDPOINTS]
    routes.append(Route("/openapi.json", _describe, methods=["GET"]))
    handlers: Mapping[Any, Any] = {HTTPException: _no_such_thing}
    return Starlette(routes=routes, exception_handlers=handlers)


async def _describe(_request: Request) -> Response:
    return JSONResponse(document())


async def _no_such_thing(request: Request, error: HTTPException) -> Response:
    code = "method_not_allowed" if error.status_code == 405 else "path_unknown"
    return _refuse(request, OptimizerError(code), error.headers)


async def _answer(endpoint: Endpoint, request: Request) -> Response:
    """Do what is asked, or tell why not; what nobody foresaw is logged under the reference told."""
    try:
        with ExitStack() as stack:
            workspace, actor = await run_in_threadpool(_enter, endpoint, request)
            query = _checked(endpoint.query, _once_each(request))
            body = await _body(endpoint, request)
            file = await _upload(endpoint, request, query, actor, stack)
            call = Call(workspace, actor, request.path_params, query, body, file)
            return await run_in_threadpool(_done, endpoint, call)
    except OptimizerError as error:
        return _refuse(request, error)
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in _FULL
        return _refuse(request, OptimizerError("disk_full" if full else "something_failed"))


def _done(endpoint: Endpoint, call: Call) -> Response:
    made = endpoint.handle(call)
    if endpoint.content == "application/json":
        return JSONResponse(json_answer(made), status_code=endpoint.status)
    return Response(made, status_code=endpoint.status, media_type=endpoint.content)


def _enter(endpoint: Endpoint, request: Request) -> tuple[workflows.Workspace, Actor]:
    """The store and who asks. Raises `Forbidden` without a valid token."""
    workspace = opened()
    if endpoint.public:
        return workspace, Actor("anybody", None)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise Forbidden("token_needed")
    return workspace, workflows.token_actor(workspace, secret.strip())


def _once_each(request: Request) -> dict[str, str]:
    """What stands after the question mark. Raises `RefusedInput` for a name that is said twice."""
    said = request.query_params.multi_items()
    if len(dict(said)) < len(said):
        raise RefusedInput("request_invalid", where="query", why="repeated")
    return dict(said)


def _checked(model: type[BaseModel], said: Any) -> Any:
    """`said` as the model's values. Raises `RefusedInput` naming the first that does not fit."""
    try:
        return model.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise RefusedInput("request_invalid", where=where, why=first["msg"]) from error


async def _body(endpoint: Endpoint, request: Request) -> Any:
    if endpoint.body is None:
        return None
    content = bytearray()
    async for part in _limited(request, _MEGABYTE * 10):
        content += part
    try:
        said = json.loads(content or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedInput("request_invalid", where="body", why="JSON") from error
    return _checked(endpoint.body, said)


def _no_number(name: str) -> Any:
    raise ValueError(name)


async def _upload(
    endpoint: Endpoint, request: Request, query: Any, actor: Actor, stack: ExitStack
) -> Path | None:
    """The body as a file of the name that was said, gone when the request is done."""
    if not endpoint.upload:
        return None
    # Before the body: who may not import fills no disk either.
    actor.require("operator", request.path_params["account"])
    folder = tempfile.TemporaryDirectory(prefix=scratch.prefix("upload"))
    path = Path(stack.enter_context(folder)) / str(query.file_name)
    with path.open("wb") as target:
        async for part in _limited(request, _MEGABYTE * st.get_option("server.maxUploadSize")):
            await run_in_threadpool(target.write, part)
    return path


async def _limited(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body in parts. Raises `RefusedInput` as soon as there is too much of it."""
    told = request.headers.get("content-length", "")
    size = int(told) if told.isdecimal() else 0
    seen = 0
    if size > most:
        raise RefusedInput("request_too_large", most=most)
    async for part in request.stream():
        seen += len(part)
        if seen > most:
            raise RefusedInput("request_too_large", most=most)
        yield part


def _refuse(
    request: Request, error: OptimizerError, headers: Mapping[str, str] | None = None
) -> Response:
    """The error as pages tell it, with its status and a reference that the log has too."""
    reference, status = uuid4().hex[:12], status_of(error)
    words = Translator(pick_language(request.headers.get("accept-language") or "en"))
    tell = LOG.exception if status == 500 else LOG.info
    tell("%s %s %s: %s", reference, request.method, request.url.path, error.code)
    told = {
        "code": error.code,
        "message": words.error(error),
        "fields": plain(error.fields),
        "reference": reference,
    }
    named = dict(headers or {}) | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
    return JSONResponse({"error": told}, status_code=status, headers=named)


def status_of(error: OptimizerError) -> int:
    """The HTTP status that says of what kind an error is."""
    kind = next((status for each, status in _STATUS if isinstance(error, each)), 500)
    return _STATUS_OF_CODE.get(error.code, kind)
