from django.urls import path
from whoami.views import whoami

urlpatterns = [path("whoami", whoami)]
