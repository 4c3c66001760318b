from aiwriter.models.accepted_claim import AcceptedClaim
from aiwriter.models.brand_fact import BrandFact
from aiwriter.models.brand_sample import BrandSample
from aiwriter.models.brand_voice import BrandVoice
from aiwriter.models.brief import Brief
from aiwriter.models.budget import Budget, BudgetHold
from aiwriter.models.draft import Draft
from aiwriter.models.embedding import Embedding
from aiwriter.models.exemplar import Exemplar
from aiwriter.models.generation import Generation
from aiwriter.models.generation_step import GenerationStep
from aiwriter.models.model_price import ModelPrice
from aiwriter.models.passage import Passage
from aiwriter.models.provider_key import ProviderKey

__all__ = [
    "AcceptedClaim",
    "BrandFact",
    "BrandSample",
    "BrandVoice",
    "Brief",
    "Budget",
    "BudgetHold",
    "Draft",
    "Embedding",
    "Exemplar",
    "Generation",
    "GenerationStep",
    "ModelPrice",
    "Passage",
    "ProviderKey",
]
