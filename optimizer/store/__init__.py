"""Stored truth: state (SQLAlchemy) and history (Parquet, read through Ibis)."""
