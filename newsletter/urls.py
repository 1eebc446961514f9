from django.urls import path

from newsletter import archive

app_name = "newsletter"

urlpatterns = [
    path("newsletter/", archive.issue_list, name="archive"),
    path("newsletter/<uuid:uuid>/", archive.issue_detail, name="issue"),
]
