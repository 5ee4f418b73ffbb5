"""Sign-in: who someone is, what he may do, and for how long."""
