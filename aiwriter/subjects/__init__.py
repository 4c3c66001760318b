"""What rules say about a subject line. Advice, not fact: nothing here knows what readers will do."""

from aiwriter.subjects.score import Reason, Score, score_line

__all__ = ["Reason", "Score", "score_line"]
