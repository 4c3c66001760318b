"""The project itself is an app, so that its commands, template tags and checks are found."""

from django.apps import AppConfig


class PulseQuillConfig(AppConfig):
    name = "pulsequill"
