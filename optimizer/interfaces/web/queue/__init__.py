"""The suggestion queue in parts: filters, the pinned view, the grid, decisions, evidence."""
