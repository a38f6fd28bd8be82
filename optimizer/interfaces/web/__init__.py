"""Pages: widgets and drawing only. A `*_page.py` is run as a script by the router."""
