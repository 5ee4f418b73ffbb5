"""Everyone who wants pixels: tickets, walls and live screens."""
