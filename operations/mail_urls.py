"""The addresses of the caught mail; config/urls.py includes them in development only."""

from django.urls import path

from operations import views

app_name = "mail"

urlpatterns = [
    path("", views.mail_list, name="list"),
    path("<str:key>/", views.mail_detail, name="detail"),
    path("<str:key>/html/", views.mail_design, name="design"),
    path("<str:key>/raw/", views.mail_raw, name="raw"),
]
