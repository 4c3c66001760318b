from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "What we send"

    def ready(self) -> None:
        """Let the erasure of a person reach the ledger, and segments ask about campaigns.

        Models can be imported only from here on.
        """
        from audiences.segmentation import register_mailings
        from audiences.services import register_eraser
        from campaigns.selectors.people import MAILINGS
        from campaigns.services.erasing import forget_person

        register_eraser(forget_person)
        register_mailings(MAILINGS)
