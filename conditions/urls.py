from django.urls import path

from conditions import views
from publishing.urls import document_urls

app_name = "conditions"

urlpatterns = [
    path("conditions/", views.condition_list, name="condition-list"),
    *document_urls("conditions", views.CONDITION, views.ConditionPage),
]
