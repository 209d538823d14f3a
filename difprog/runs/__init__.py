"""Saved runs: kept, loaded again, and compared."""
