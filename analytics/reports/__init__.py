"""Reports: of one campaign (`campaign_*`), and across campaigns."""
