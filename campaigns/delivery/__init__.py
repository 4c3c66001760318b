"""The sending engine: plans recipients, claims them, composes their mail, hands it over and records what happened.

The ledger (`campaigns.models.Message`) is the truth; Celery only wakes this code. *Delivery* in the app's README tells
the whole story.
"""
