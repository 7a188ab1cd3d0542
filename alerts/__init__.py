"""From an article to a delivered message: rules, digests, outbox, mail."""
