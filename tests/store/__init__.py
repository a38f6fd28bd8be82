"""Tests of `optimizer.store`."""
