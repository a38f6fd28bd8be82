"""What reports said and what people decided: state in SQL, history in Parquet, one commit for both."""

from optimizer.store.opening import open_store

__all__ = ["open_store"]
