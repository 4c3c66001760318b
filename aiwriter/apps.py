from django.apps import AppConfig


class AIWriterConfig(AppConfig):
    name = "aiwriter"
    verbose_name = "AI writer"
