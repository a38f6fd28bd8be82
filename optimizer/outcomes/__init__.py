"""What came of it: promises made in the past against what the reports say now."""
