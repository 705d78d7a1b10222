import os

SECRET_KEY = (
    os.environ.get("DJANGO_SECRET_KEY") or "for development alone"
)  # it signs nothing here: no sessions, no CSRF
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["whoami"]
MIDDLEWARE = ["whoami.middleware.AzureUnavailable"]
ROOT_URLCONF = "project.urls"
USE_TZ = True

# Nothing about Azure: credconf reads credconf.yaml in the working directory, the environment and .env.
