"""`make bench`: our own work against a limit or a peer, measured in the same run and told as a ratio.

A benchmark is one module here; `suite.py` is the table that the command runs. `harness.py` alternates product and
reference (A B A B ...), takes medians and judges the ratio against its floor (the gate) and its aim (the goal).
"""
