"""The settings pages, by tab."""
