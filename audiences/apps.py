from django.apps import AppConfig


class AudiencesConfig(AppConfig):
    name = "audiences"
    verbose_name = "Whom we may mail"

    def ready(self) -> None:
        """Let the AI writer check its rules against the grammar; models can be imported only from here on."""
        from aiwriter.agents.small.segment import register_builder
        from audiences.services.described import rules_for_answer

        register_builder(rules_for_answer)
