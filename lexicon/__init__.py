"""Language: folding, tokens, the watchlist, the query language and its matcher. No database, no network."""
