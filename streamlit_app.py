"""The pages as one application: `streamlit run streamlit_app.py`."""

import streamlit as st

# Streamlit reads this file for an assignment of `st.App`; an imported one would not be found.
app = st.App("optimizer/interfaces/router.py")
