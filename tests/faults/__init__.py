"""Death at any moment: a small world in which jingbao is killed, and what must hold afterwards. For the tests and bench/kills."""
