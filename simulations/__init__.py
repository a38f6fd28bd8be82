"""Runnable studies and benchmarks: `python -m simulations.<name>` prints what it measured."""
