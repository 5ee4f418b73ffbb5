"""How the site and its tools speak to the daemon on 8788."""
