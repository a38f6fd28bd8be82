"""The same workflows over HTTP, for programs: `/api/v1`, described by `/api/v1/openapi.json`.

A request shows a token (`Authorization: Bearer …`, see `optimizer tokens`); no cookie is looked at, so
no other page can speak for somebody who is logged in. A refusal is the error that pages and command
line tell, with a status that says of what kind, in the language asked for, and a reference for the log.
"""

from __future__ import annotations

import re

from starlette.routing import BaseRoute, Mount

from optimizer.interfaces.api.serving import application

__all__ = ["routes"]

BASE = "/api/v1"


def routes() -> list[BaseRoute]:
    """What to mount beside the pages."""
    mount = Mount(BASE, app=application())
    # A path may hold line breaks, at which Starlette's own pattern ends: they are refused here as well.
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return [mount]
