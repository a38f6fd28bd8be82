"""Every hostile file through a server that runs: each is told what became of it, none ends the server."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from optimizer import workflows
from optimizer.interfaces.cli.serve_command import folders_environment, server_command
from tests.interfaces.conftest import CONFIGS, OWNER
from tests.interfaces.test_browser import free_port, wait_until_up
from tests.reports import test_hostile as files
from tests.reports import test_xlsx as books


@dataclass(frozen=True)
class Server:
    """A server of pages and API, and the secret of a token that may import."""

    process: subprocess.Popen[bytes]
    address: str
    secret: str

    def answer(self, where: str, content: bytes | None = None) -> tuple[int, dict[str, Any]]:
        """The status and what is said to a file, or to a question where there is none."""
        asked = urllib.request.Request(
            f"{self.address}/api/v1/{where}",
            data=content,
            headers={"Authorization": f"Bearer {self.secret}"},
        )
        try:
            with urllib.request.urlopen(asked, timeout=300) as told:
                return told.status, json.load(told)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def upload(self, name: str, content: bytes) -> tuple[int, dict[str, Any]]:
        """What is said to one file; afterwards the same process must still answer."""
        said = {"file_name": name, "profile": "google_ads_keywords"}
        told = self.answer(f"accounts/traps/imports?{urllib.parse.urlencode(said)}", content)
        assert self.process.poll() is None, "the server stopped"
        assert self.answer("health") == (200, {"status": "ok"})
        return told


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    store, address = folder / "store", f"http://127.0.0.1:{port}"
    with workflows.open_workspace(store, CONFIGS) as workspace:
        secret = workflows.add_token(workspace, "uploads", "operator", OWNER).secret
    command = [*server_command("127.0.0.1", port), "--server.headless=true"]
    environment = os.environ | folders_environment(store, CONFIGS)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(address, process)
            yield Server(process, address, secret)
        finally:
            process.terminate()
            process.wait(30)


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@pytest.mark.parametrize(("content", "code"), files.KEPT.values(), ids=files.KEPT.keys())
def test_trap_is_imported_and_every_row_is_told(
    server: Server, content: str | bytes, code: str | None
) -> None:
    status, told = server.upload("report.csv", as_bytes(content))
    assert status == 200, told
    (made,) = told["imports"]
    assert made["rows_quarantined"] == (code is not None)
    dropped = sum(made["rows_dropped"].values())
    assert made["rows_read"] == made["rows_kept"] + made["rows_quarantined"] + dropped


@pytest.mark.parametrize(("content", "code"), files.REFUSED.values(), ids=files.REFUSED.keys())
def test_trap_is_refused_by_name(server: Server, content: str | bytes, code: str) -> None:
    status, told = server.upload("report.csv", as_bytes(content))
    assert (status, told["error"]["code"]) == (422, code)


def zip_bomb(folder: Path) -> Path:
    path = books.workbook(folder, ["Day"])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros", bytes(5_000_000))
    return path


def cut_workbook(folder: Path) -> Path:
    path = books.workbook(folder, ["Day"])
    path.write_bytes(path.read_bytes()[:-100])
    return path


def renamed_archive(folder: Path) -> Path:
    return books.packed(folder / "report.xlsx", {"notes.txt": b"hello"})


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (books.far_cell, "xlsx_unreadable"),
        (books.wide_sheet, "xlsx_unreadable"),
        (books.billion_laughs, "xlsx_unreadable"),
        (books.understated_size, "xlsx_unreadable"),
        (books.ten_thousand_sheets, "xlsx_too_large"),
        (books.encrypted_zip, "wrong_type"),
        (books.locked_or_old_workbook, "wrong_type"),
        (zip_bomb, "xlsx_too_large"),
        (cut_workbook, "truncated"),
        (renamed_archive, "wrong_type"),
    ],
)
def test_workbook_built_to_harm_is_refused_by_name(
    server: Server, tmp_path: Path, build: Any, code: str
) -> None:
    status, told = server.upload("report.xlsx", build(tmp_path).read_bytes())
    assert (status, told["error"]["code"]) == (422, code)
