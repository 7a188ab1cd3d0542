"""From the net to an article."""
