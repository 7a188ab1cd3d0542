"""A draft becomes a verdict: relevance, likeness, identity. Pure: no net, no database."""
