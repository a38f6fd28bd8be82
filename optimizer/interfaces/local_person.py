"""The person this machine belongs to, where nobody has to log in."""

from __future__ import annotations

import getpass
import os


def local_person() -> str:
    """The account this process runs under, by the system: $USER may say anything."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return getpass.getuser()
