"""The statistics of A/B tests. Plain numbers in, plain numbers out; nothing here reads or writes a row."""
