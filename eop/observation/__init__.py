"""Watching: rooms, classes, workstations, and the tickets that open walls and screens."""
