"""“Report a problem”: a form about any page, without a cookie or an account, that ends on the editors' desk.

What is kept: the page and its edition, what was written, a mail address if one was left, and for a day the network
(/24, /56) it came from, so that nobody can bury the desk. `tidy()` forgets the rest of what names a person.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from django import forms
from django.conf import settings
from django.core.validators import EmailValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from publishing.documents import normal_text
from publishing.kinds import kinds
from publishing.models import Publication, Report
from publishing.posting import network, refuse_other_sites, see_other

# Reports that one network, and everybody together, may leave in an hour.
NETWORK_AN_HOUR = 10
ALL_AN_HOUR = 300
FORGET_NETWORK_AFTER = timedelta(days=1)
FORGET_ADDRESS_AFTER = timedelta(days=90)  # after it was done


class ReportForm(forms.ModelForm):
    # People do not see this field; most robots fill in whatever is called so.
    website = forms.CharField(required=False)
    text = forms.CharField(
        label=_("What is the problem?"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 7}),
        error_messages={
            "required": _("Write what the problem is."),
            "max_length": _("This is too long. Please keep to 4,000 characters."),
        },
    )
    address = forms.CharField(
        label=_("Your mail address, if you would like an answer"),
        required=False,
        max_length=254,
        validators=[EmailValidator(_("This is not a mail address. It looks like name@example.org."))],
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    class Meta:
        model = Report
        fields = ["subject", "text", "address"]
        widgets = {"subject": forms.RadioSelect}
        error_messages = {"subject": {"required": _("Choose what it is about.")}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subject = self.fields["subject"]
        assert isinstance(subject, forms.ChoiceField)
        subject.choices = Report.Subject.choices  # no empty choice

    def clean_text(self) -> str:
        return normal_text(self.cleaned_data["text"])


def page_of(path: str) -> tuple[str, Publication | None]:
    """The path of a page of ours and the live publication it shows, if any.

    Takes what stands in the address of the form, which strangers may write: what is no page here is ("", None).
    """
    path = urlsplit(path).path[:500] if path.startswith("/") and not path.startswith("//") else ""
    if not path.isprintable():
        return "", None
    try:
        match = resolve(path)
    except Resolver404:
        return "", None
    if "token" in match.kwargs:  # a signed link is as good as a password: nobody else is to read it
        return "", None
    kind = match.kwargs.get("kind") or next((k.name for k in kinds.values() if k.url_name == match.view_name), "")
    publications = Publication.objects.live().filter(kind=kind, slug=match.kwargs.get("slug", ""))
    return path, publications.select_related("live").first() if kind else None


@refuse_other_sites
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """The form, and where it is sent. What is not valid comes back with what was typed, and 422 (RFC 9110, 15.5.21).

    Where too many came, the text comes back as well (429), with the mail address of the site to write to instead.
    """
    data = request.POST if request.method == "POST" else request.GET
    path, publication = page_of(data.get("about", ""))
    form = ReportForm(request.POST) if request.method == "POST" else ReportForm()
    context = {
        "form": form,
        "about": path,
        "publication": publication,
        "language": publication.language if publication else "",
        "canonical_url": settings.SITE_URL + request.path,
    }
    with translation.override(publication.language if publication else translation.get_language()):
        if request.method != "POST" or not form.is_valid():
            return render(request, "publishing/report.html", context, status=422 if request.method == "POST" else 200)
        sent_from = network(request)
        if not form.cleaned_data["website"]:  # a robot is thanked, and forgotten
            if _enough(sent_from):
                return render(request, "publishing/report.html", context | {"enough": True}, status=429)
            form.instance.path = path or "/"
            form.instance.publication = publication
            form.instance.edition = publication.live.number if publication and publication.live else None
            form.instance.network = sent_from
            form.save()
    return see_other(reverse("report-thanks") + (f"?about={quote(path)}" if publication else ""))


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    path, publication = page_of(request.GET.get("about", ""))
    with translation.override(publication.language if publication else translation.get_language()):
        language = publication.language if publication else ""
        context = {"about": path, "publication": publication, "language": language}
        return render(request, "publishing/report_thanks.html", context)


def _enough(sent_from: str) -> bool:
    """Whether the desk got so many in the last hour that more would only bury it."""
    lately = Report.objects.filter(sent_at__gt=timezone.now() - timedelta(hours=1))
    return lately.filter(network=sent_from).count() >= NETWORK_AN_HOUR or lately.count() >= ALL_AN_HOUR


def tidy() -> int:
    """Forget where reports came from after a day, and addresses 90 days after they were done; how many rows changed.

    Harmless to run at any time, twice or late.
    """
    now = timezone.now()
    forgotten = Report.objects.filter(sent_at__lt=now - FORGET_NETWORK_AFTER).exclude(network="").update(network="")
    done = Report.objects.filter(state=Report.State.DONE, done_at__lt=now - FORGET_ADDRESS_AFTER)
    return forgotten + done.exclude(address="").update(address="")
