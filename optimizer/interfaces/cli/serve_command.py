"""The `serve` command: the pages on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from optimizer.errors import RefusedInput
from optimizer.interfaces.cli.running import Run, command

PACKAGED_APP = Path(__file__).parent.parent / "served.py"

Address = Annotated[str, typer.Option("--address", help="Where to listen.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535)]
IKnow = Annotated[
    bool, typer.Option("--i-know", help="Allow other machines, although nobody has to log in.")
]


@command("serve")
def serve(
    run: Run, address: Address = "127.0.0.1", port: Port = 8501, i_know: IKnow = False
) -> None:
    """Open the pages in a browser on this machine."""
    if not (is_loopback(address) or i_know):
        raise RefusedInput("serve_not_loopback", address=address)
    serve_pages(run.store, run.configs, address, port)


def serve_pages(
    store: Path | None, configs: Path | None, address: str = "127.0.0.1", port: int = 8501
) -> None:
    """Run the page server until it is stopped; raises `typer.Exit` with its exit code."""
    environment = os.environ | serve_environment(store, configs, address, port)
    command_line = [sys.executable, "-m", "streamlit", "run", str(PACKAGED_APP)]
    raise typer.Exit(subprocess.call(command_line, env=environment))


def serve_environment(
    store: Path | None, configs: Path | None, address: str, port: int
) -> dict[str, str]:
    """Where the pages find their data, and safe defaults wherever the command is started from."""
    folders = {"OPTIMIZER_STORE": store, "OPTIMIZER_CONFIGS": configs}
    return {
        **{name: str(folder.resolve()) for name, folder in folders.items() if folder},
        "STREAMLIT_SERVER_ADDRESS": address,
        "STREAMLIT_SERVER_PORT": str(port),
        **({"STREAMLIT_SERVER_ALLOWED_HOSTS": ALLOWED_HOSTS} if is_loopback(address) else {}),
        **SAFE_DEFAULTS,
    }


ALLOWED_HOSTS = '["localhost", "127.0.0.1"]'
SAFE_DEFAULTS = {
    "STREAMLIT_SERVER_ENABLE_STATIC_SERVING": "false",
    "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "none",
    "STREAMLIT_CLIENT_TOOLBAR_MODE": "minimal",
}


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
