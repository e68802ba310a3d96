"""Diagnostics: what went wrong, where, and what to do. Every other room may raise them; this room knows none of the others."""
