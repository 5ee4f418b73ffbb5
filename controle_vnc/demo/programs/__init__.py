"""The small programs whose windows stand on demonstration desktops."""
