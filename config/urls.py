"""Every address of the site, one include for each app."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from blog.api import api_urls
from config.styleguide import styleguide
from publishing import reports
from publishing.preview import shared_preview
from publishing.sharing import share_card

# A save that failed in the admin comes back with all that was typed.
handler500 = "operations.kept.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("preview/<str:token>/", shared_preview, name="shared-preview"),
    path("report/", reports.report, name="report"),
    path("report/thanks/", reports.thanks, name="report-thanks"),
    path("share/<uuid:uuid>/<slug:version>.jpg", share_card, name="share-card"),
    *api_urls(),
    path("", include("newsletter.urls")),
    path("", include("conditions.urls")),
    path("", include("blog.urls")),
]

if settings.MAIL_PROVIDER:
    # What the provider reports of mail that came back.
    urlpatterns += [path("newsletter/webhooks/", include("newsletter.webhooks"))]

if settings.DEBUG:
    # Only on a developer's machine: every component, the mail that was caught, and pictures without a web server.
    urlpatterns += [path("styleguide/", styleguide)]
    urlpatterns += [path("mail/", include("operations.mail_urls"))]
    urlpatterns += static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
