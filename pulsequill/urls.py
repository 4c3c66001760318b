"""Every HTTP address. `/t/` (tracking) and WebSockets are routed in `asgi.py`."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("pulsequill.core.health_urls")),
    path("admin/", admin.site.urls),
    path("v1/", include("pulsequill.v1")),
    path("", include("accounts.urls")),
    path("", include("audiences.urls")),
    path("", include("aiwriter.urls")),
    path("", include("campaigns.urls")),
    path("", include("analytics.urls")),
]

handler500 = "pulsequill.core.error_views.server_error"
