"""The same examples in every run (HYPOTHESIS_PROFILE=explore looks for new ones), and no real store."""

from __future__ import annotations

import os
import tempfile

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# Whoever forgets `--store` gets an empty one, never the operator's own.
_UNNAMED_STORE = tempfile.TemporaryDirectory(prefix="unnamed-store-")
os.environ["OPTIMIZER_STORE"] = _UNNAMED_STORE.name
