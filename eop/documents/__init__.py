"""Documents: given to students, collected from them, returned to them, and how far each is."""
