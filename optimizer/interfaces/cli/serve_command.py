"""The `serve` command: the pages and the API, on this machine or to people who log in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from optimizer.interfaces.cli.running import Run, command

PACKAGED_APP = Path(__file__).parent.parent / "served.py"

Address = Annotated[str, typer.Option("--address", help="Where to listen.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535)]


@command("serve")
def serve(run: Run, address: Address = "127.0.0.1", port: Port = 8501) -> None:
    """Open the pages in a browser on this machine, or to others once people log in."""
    from optimizer.interfaces import serving  # Streamlit takes a second no other command needs.

    serving.require_served_here(address, serving.reach())
    serve_pages(run.store, run.configs, address, port)


def serve_pages(
    store: Path | None, configs: Path | None, address: str = "127.0.0.1", port: int = 8501
) -> None:
    """Run the page server until it is stopped; raises `typer.Exit` with its exit code."""
    environment = os.environ | folders_environment(store, configs)
    raise typer.Exit(subprocess.call(server_command(address, port), env=environment))


def folders_environment(store: Path | None, configs: Path | None) -> dict[str, str]:
    """Where the pages find their data, when it was said on the command line."""
    folders = {"OPTIMIZER_STORE": store, "OPTIMIZER_CONFIGS": configs}
    return {name: str(folder.resolve()) for name, folder in folders.items() if folder}


def server_command(address: str, port: int) -> list[str]:
    """The page server with safe options, whatever folder it is started from."""
    options = [f"--{name}={value}" for name, value in SAFE_OPTIONS.items()]
    options += [f"--server.allowedHosts={host}" for host in _host_names()]
    options += [f"--server.address={address}", f"--server.port={port}"]
    return [sys.executable, "-m", "streamlit", "run", str(PACKAGED_APP), *options]


def _host_names() -> tuple[str, ...]:
    from optimizer.interfaces import serving

    name = serving.reach().public_name
    return (*serving.LOOPBACK_NAMES, *([name] if name else []))


SAFE_OPTIONS = {
    "server.enableStaticServing": "false",
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "none",
    # Of some hundred thousand objects that stay, after every click of anybody; Python's own pace will do.
    "runner.postScriptGC": "false",
    "client.toolbarMode": "minimal",
    "theme.light.primaryColor": "#0072B2",
    "theme.light.textColor": "#0E0E10",
    "theme.dark.primaryColor": "#56B4E9",
}
