from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "What we send"

    def ready(self) -> None:
        """Let the erasure of a person reach the ledger; models can be imported only from here on."""
        from audiences.services import register_eraser
        from campaigns.services.erasing import forget_person

        register_eraser(forget_person)
