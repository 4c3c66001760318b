"""The verbs of `accounts`, by noun: `from accounts.services import workspaces`."""
