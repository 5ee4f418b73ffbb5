"""One file for each family of security types, both sides; and which one is chosen."""
