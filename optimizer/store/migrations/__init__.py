"""Alembic's folder: one linear history of the state database, run whenever a store is opened."""
