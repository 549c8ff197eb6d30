"""TODO: the map of this folder."""
