"""What would happen: simulated markets whose truth is known, and their reports."""
