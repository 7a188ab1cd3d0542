"""Search: queries answered by the index where it can, confirmed by the matcher where it cannot."""
