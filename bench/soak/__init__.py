"""The soak: the real daemon for a long time on a fast clock, among made-up sites that misbehave. `python -m bench.soak -h`."""
