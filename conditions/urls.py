from django.urls import path

from conditions import views
from publishing.urls import document_urls

app_name = "conditions"

urlpatterns = [
    path("conditions/", views.condition_list, name="condition-list"),
    path("body/", views.body_area_list, name="body-area-list"),
    path("body/<str:area>/", views.body_area_detail, name="body-area"),
    *document_urls("conditions", views.CONDITION, views.ConditionPage),
]
