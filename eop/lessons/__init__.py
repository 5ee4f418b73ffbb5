"""Lessons: who is in, what is in force, and the presets of each teacher."""
