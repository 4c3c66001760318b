from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "What happened"

    def ready(self) -> None:
        """Tell earlier apps what only this one knows: contact timelines, goals, and whether a test, or a few
        first readers, can show anything.

        Erasures reach events from here, too.

        Models can be imported only from here on.
        """
        from analytics import first_readers, preflight
        from analytics.selectors.contacts import contact_timeline
        from analytics.selectors.prospects import goal_names
        from analytics.services import forget_person
        from audiences.selectors import register_timeline_source
        from audiences.services import register_eraser
        from campaigns.preflight import register_check
        from campaigns.selectors.goals import register_goals

        register_timeline_source(contact_timeline)
        register_eraser(forget_person)
        register_goals(goal_names)
        register_check(preflight.CHECK)
        register_check(first_readers.CHECK)
