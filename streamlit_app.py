"""The pages as one application: `streamlit run streamlit_app.py`."""

from optimizer.interfaces.served import app

__all__ = ["app"]
