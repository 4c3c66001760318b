"""The main job from outside: `manage.py demo` does over HTTP and a socket what a customer's program would do."""
