"""What a visitor is told when a page fails: words, and a reference under which the log has the rest."""

from __future__ import annotations

import logging
from uuid import uuid4

import streamlit as st

from optimizer.errors import BadTable, OptimizerError
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.web import frame

LOG = logging.getLogger("optimizer.pages")


def tell(error: Exception) -> bool:
    """Tell of an error that no page expected; True, since Streamlit need not do so as well."""
    words = frame.language()
    if isinstance(error, OptimizerError) and not isinstance(error, BadTable):
        draw(words, error)
        return True
    reference = uuid4().hex[:12]
    LOG.error("%s %s", reference, type(error).__name__, exc_info=error)
    draw(words, OptimizerError("something_failed"))
    st.caption(words.text("Reference for the log: {reference}", reference=reference))
    return True


def draw(words: Translator, error: OptimizerError) -> None:
    """What went wrong, in words."""
    st.error(frame.literal(words.error(error)), icon=":material/error:")
