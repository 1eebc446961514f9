from django.urls import path

from newsletter import archive, views

app_name = "newsletter"

urlpatterns = [
    path("subscribe/", views.subscribe, name="subscribe"),
    path("subscribe/thanks/", views.thanks, name="thanks"),
    path("newsletter/", archive.issue_list, name="archive"),
    path("newsletter/<uuid:uuid>/", archive.issue_detail, name="issue"),
    # The links in mail: links.Purpose names them.
    path("newsletter/confirm/<str:token>/", views.confirm, name="confirm"),
    path("newsletter/choices/<str:token>/", views.choices, name="choices"),
    path("newsletter/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("newsletter/export/<str:token>/", views.export, name="export"),
    path("newsletter/erase/<str:token>/", views.erase, name="erase"),
]
