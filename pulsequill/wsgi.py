"""Django as a WSGI application: `asgi.py` bridges to it; a plain WSGI server behind a proxy may use it alone."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pulsequill.settings")

application = get_wsgi_application()
