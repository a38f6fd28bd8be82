"""Requests made up from the API's own description: no failure, and answers as described."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
import streamlit as st
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

from optimizer import workflows
from optimizer.interfaces import api
from optimizer.interfaces.api.openapi import document
from tests.interfaces.conftest import ACCOUNT, OWNER

pytestmark = pytest.mark.filterwarnings("ignore")
EXAMPLES = int(os.environ.get("API_EXAMPLES", "10"))
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
schema = schemathesis.openapi.from_dict(document())
schema.app = Starlette(routes=api.routes())


@pytest.fixture(scope="module")
def secret(
    reviewed: Path, configs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A token of an administrator, in a reviewed store that all made-up requests share."""
    store = tmp_path_factory.mktemp("made up") / "store"
    shutil.copytree(reviewed, store)
    st.cache_resource.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPTIMIZER_STORE", str(store))
        patch.setenv("OPTIMIZER_CONFIGS", str(configs))
        with workflows.open_workspace(store, configs) as workspace:
            yield workflows.add_token(workspace, "made-up", "admin", OWNER).secret
    st.cache_resource.clear()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_fails_and_every_answer_is_as_described(
    case: schemathesis.Case, secret: str
) -> None:
    """Half of those that name an account name the one that exists."""
    if "account" in case.path_parameters and len(repr(case)) % 2:
        case.path_parameters["account"] = ACCOUNT
    answer = case.call(headers={"Authorization": f"Bearer {secret}"})
    case.validate_response(answer, checks=list(CHECKS))
