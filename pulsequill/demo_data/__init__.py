"""The demo workspace: what is in it. `manage.py seed_demo` writes it, `pulsequill.serving` names its people."""
