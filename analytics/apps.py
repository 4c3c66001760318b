from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "What happened"

    def ready(self) -> None:
        """Tell contact timelines about mails and events; models can be imported only from here on."""
        from analytics.selectors.contacts import contact_timeline
        from audiences.selectors import register_timeline_source

        register_timeline_source(contact_timeline)
