"""What reports said and what people decided: state in SQL, history in Parquet, one commit for both."""

from optimizer.store.sql_store import open_store

__all__ = ["open_store"]
