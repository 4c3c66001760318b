"""Everything below `/v1`."""

from django.urls import include, path

urlpatterns = [
    path("", include("accounts.v1.urls")),
    path("", include("aiwriter.v1.urls")),
    path("", include("audiences.v1.urls")),
    path("", include("campaigns.v1.urls")),
    path("", include("analytics.v1.urls")),
    path("", include("pulsequill.core.rest.urls")),
]
