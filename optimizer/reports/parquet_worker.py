"""A child process that writes a Parquet file as CSV: `python parquet_worker.py FILE TARGET`.

A damaged file may end the process that reads it; this one is there to be ended.
"""

from __future__ import annotations

import sys


def write_csv(source: str, target: str) -> None:
    """Every column as text, in file order; unknown is an empty cell."""
    import duckdb

    with duckdb.connect(":memory:", config={"memory_limit": "2GB", "threads": 2}) as db:
        rows = db.read_parquet(source)
        columns = ", ".join(f'CAST("{name.replace(chr(34), chr(34) * 2)}" AS VARCHAR) AS '
                            f'"{name.replace(chr(34), chr(34) * 2)}"' for name in rows.columns)  # fmt: skip
        rows.project(columns).write_csv(target, header=True)


if __name__ == "__main__":
    write_csv(*sys.argv[1:])
