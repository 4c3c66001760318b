"""`make bench`: each benchmark is a ratio of our own work against a limit or a peer, measured in the same run.

A benchmark is one module here; `BENCHMARKS` is the table that the command runs. `harness.py` alternates product and
reference (A B A B ...), takes medians and judges the ratio against its floor (the gate) and its aim (the goal).
"""
