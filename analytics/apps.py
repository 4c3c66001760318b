from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "What happened"

    def ready(self) -> None:
        """Tell contact timelines about mails and events, and let erasures reach events.

        Models can be imported only from here on.
        """
        from analytics.selectors.contacts import contact_timeline
        from analytics.services import forget_person
        from audiences.selectors import register_timeline_source
        from audiences.services import register_eraser

        register_timeline_source(contact_timeline)
        register_eraser(forget_person)
