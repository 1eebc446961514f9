"""The pages of caught mail. config/urls.py serves them in development only."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from operations.mail import CaughtMail, caught_mail

# A mail brings its styles in itself. Nothing is fetched, nothing runs, and only links that a person follows leave it.
DESIGN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


def find_mail(key: str) -> CaughtMail:
    """Return the caught message of this key. Raises Http404 where there is none."""
    # Compared with what the folder holds, so that a key can never name a file elsewhere.
    for mail in caught_mail(settings.MAIL_DIR):
        if mail.key == key:
            return mail
    raise Http404(_("No such message."))


@require_safe
def mail_list(request: HttpRequest) -> HttpResponse:
    """Show every caught message, newest first."""
    return render(request, "operations/mail_list.html", {"mails": caught_mail(settings.MAIL_DIR)})


@require_safe
def mail_detail(request: HttpRequest, key: str) -> HttpResponse:
    """Show the headers and the text of one message."""
    return render(request, "operations/mail_detail.html", {"mail": find_mail(key)})


@require_safe
def mail_design(request: HttpRequest, key: str) -> HttpResponse:
    """Show the HTML of one message as a mail program would. Raises Http404 where it has none."""
    html = find_mail(key).html
    if not html:
        raise Http404(_("This message has no HTML part."))
    return HttpResponse(html, headers={"Content-Security-Policy": DESIGN_POLICY, "Cache-Control": "no-store, private"})


@require_safe
def mail_raw(request: HttpRequest, key: str) -> HttpResponse:
    """Show one message byte for byte as it would have been sent."""
    return HttpResponse(find_mail(key).raw, content_type="text/plain; charset=utf-8")
