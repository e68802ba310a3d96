"""RGDs that kro accepts, each broken in one place, and what kro says of them: see `__main__`."""
