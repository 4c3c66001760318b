"""What may be asked of the AI writer: the only writes that pages, `/v1` and later apps call."""
