"""One question, one answer: edits, subject lines and the other work that needs no team."""
