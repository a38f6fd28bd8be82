"""Command line, pages and the words of both; they speak to workflows, errors, settings and tables."""
