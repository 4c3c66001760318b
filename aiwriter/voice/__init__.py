"""How a brand sounds, without a model: taking samples in safely, measuring them, and scoring drafts against them."""
