"""Measurements, not tests: `make bench` prints a table; nothing here passes or fails."""
