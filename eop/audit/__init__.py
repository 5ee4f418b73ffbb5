"""What happened, kept: the events of the daemon's journal and those of the site."""
