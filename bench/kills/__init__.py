"""Campaigns of kill -9: at named points, at random times, and of intake and outbox alone. `python -m bench.kills -h`."""
