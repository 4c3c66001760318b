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

handler400 = "pulsequill.core.rest.error_pages.bad_request"
handler403 = "pulsequill.core.rest.error_pages.permission_denied"
handler404 = "pulsequill.core.rest.error_pages.page_not_found"
handler500 = "pulsequill.core.rest.error_pages.server_error"
