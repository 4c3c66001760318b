"""From the event log to exact facts and figures: at least once in, exactly once counted."""
