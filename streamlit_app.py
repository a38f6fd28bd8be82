"""The pages and the API as one application: `streamlit run streamlit_app.py`."""

import streamlit as st

from optimizer.interfaces import api, serving
from optimizer.interfaces.web import failures

# Streamlit reads this file for an assignment of `st.App`; an imported one would not be found.
app = st.App(
    "optimizer/interfaces/router.py",
    routes=api.routes(),
    middleware=serving.middleware(),
    lifespan=serving.lifespan,
    on_script_error=failures.tell,
)
