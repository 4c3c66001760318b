"""From changed figures to frames on open pages."""
