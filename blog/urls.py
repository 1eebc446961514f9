from django.urls import include, path

from blog import views
from blog.feeds import feed_urls
from blog.sitemaps import sitemap_urls
from publishing.urls import document_urls
from publishing.views import DocumentPage

app_name = "blog"

urlpatterns = [
    path("", views.home, name="home"),
    path("articles/", views.article_list, name="article-list"),
    *document_urls("articles", views.ARTICLE, views.ArticlePage),
    path("tags/", views.tag_list, name="tag-list"),
    path("tags/<str:slug>/", views.tag_detail, name="tag-detail"),
    path("archive/", views.archive, name="archive"),
    path("archive/<int:year>/<int:month>/", views.archive_month, name="archive-month"),
    path("people/", views.person_list, name="person-list"),
    path("people/<slug:slug>/", views.person_detail, name="person-detail"),
    *document_urls("about", views.PAGE, DocumentPage),
    *feed_urls(),
    *sitemap_urls(),
    path("", include("blog.search.urls")),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon, name="favicon"),
]
