"""What the writer and its guardrails are measured with: labelled drafts and golden briefs."""
