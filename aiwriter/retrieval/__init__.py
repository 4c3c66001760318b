"""The workspace's memory: texts that worked, found again by meaning or by words."""
