"""Who sits before the pages: whoever logged in, or the person this machine belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from optimizer import workflows
from optimizer.errors import Forbidden
from optimizer.interfaces.local_person import local_person
from optimizer.interfaces.serving import reach
from optimizer.tables import Actor


def visitor(workspace: workflows.Workspace) -> Actor:
    """Who acts, with the rights they have at this moment. Raises `Forbidden` without a login.

    Without a login only this machine is served, to the person it belongs to.
    """
    if not reach().login:
        return Actor(local_person(), "admin")
    return logged_in(workspace, st.user.to_dict())


def logged_in(workspace: workflows.Workspace, claims: Mapping[str, Any]) -> Actor:
    """The person of an id token, until it expires: Streamlit keeps its cookie longer than that.

    Raises `Forbidden` where nobody is logged in, or without an address that the provider says it has
    verified: where people type their own, anybody could be anybody.
    """
    if claims.get("is_logged_in") is not True:
        raise Forbidden("login_needed")
    email, ends = claims.get("email"), claims.get("exp")
    if not isinstance(email, str) or claims.get("email_verified") not in (True, "true"):
        raise Forbidden("login_without_email")
    if not isinstance(ends, int | float):
        raise Forbidden("login_expired")
    return workflows.person_actor(workspace, email, float(ends))
