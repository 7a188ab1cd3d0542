"""When things happen, and the daemon's life."""
