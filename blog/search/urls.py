from django.urls import path

from blog.search import views

urlpatterns = [
    path("search/", views.search_page, name="search"),
    path("opensearch.xml", views.opensearch, name="opensearch"),
]
