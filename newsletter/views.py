"""The public pages of the newsletter: the form, and what the links in mail lead to.

A GET shows a page with a button, because mail scanners open links; a POST acts (I9). None of these pages sets or
reads a cookie. The form is refused where another site posts it; behind a link the token in the address is what
nobody else has, and a mail program that unsubscribes by RFC 8058 sends neither origin nor cookie.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from newsletter import clock, subscribing
from newsletter.forms import ChoicesForm, SubscribeForm
from newsletter.links import BadLink, Purpose, read, token
from newsletter.models import Consent, Delivery, Subscriber
from newsletter.words import known_language
from publishing.posting import network, refuse_other_sites, see_other

Method, Status = Consent.Method, Subscriber.Status

PAUSES = {"1": timedelta(days=30), "3": timedelta(days=91)}

# What a form was done with, by the word in the address that it leads to.
DONE = {
    "saved": _("Saved."),
    "weekly": _("Saved. From now on you get one mail a week at most, and important corrections."),
    "paused": _("Saved. You get no mail until the day that is shown below."),
    "resumed": _("Saved. You get mail again."),
    "export": _("We have sent you a mail with a link to your data. The link works for 24 hours."),
    "erase": _("We have sent you a mail with a link to erase you. The link works for 24 hours."),
    "enough": _("We have sent you several such mails today. Please look for them, or try again tomorrow."),
}


# --- The form --------------------------------------------------------------------------------------------------


@refuse_other_sites
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The page of the form, and where every copy of the form leads.

    The answer to a valid form says nothing about the address: not whether we know it, nor whether a cap was reached.
    What is not valid comes back with what was typed, and 422 (RFC 9110, 15.5.21).
    """
    form = SubscribeForm(request.POST) if request.method == "POST" else None
    language = known_language((request.POST if form else request.GET).get("language", ""))
    with translation.override(language):
        if form is None or not form.is_valid():
            context = {"form": form, "language": language, "canonical_url": settings.SITE_URL + request.path}
            return render(request, "newsletter/subscribe.html", context, status=422 if form else 200)
    data = form.cleaned_data
    subscribing.sign_up(
        address=data["address"],
        language=data["language"],
        words_version=data["words_version"],
        network=network(request),
        suspicious=bool(data["website"]),
    )
    return see_other(_in_language("newsletter:thanks", language))


def _in_language(name: str, language: str) -> str:
    return reverse(name) + (f"?language={language}" if language != settings.LANGUAGE_CODE else "")


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    language = known_language(request.GET.get("language", ""))
    with translation.override(language):
        return render(request, "newsletter/thanks.html", {"language": language})


# --- Behind a link in a mail -----------------------------------------------------------------------------------

Page = Callable[[HttpRequest, Subscriber], HttpResponse]


def behind_link(
    purpose: Purpose, *, gone: str = "newsletter/bad_link.html"
) -> Callable[[Page], Callable[..., HttpResponse]]:
    """The page of a token: found and private, in the language of its person. Nobody caches, lists or passes it on.

    Takes the template for a person who is gone: unsubscribing and erasing have then been done.
    """

    def decorate(page: Page) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(page)
        def view(request: HttpRequest, token: str) -> HttpResponse:
            try:
                person = _person(read(purpose, token))
            except BadLink as error:
                return _private(_bad_link(request, purpose, expired=error.expired))
            if person is None:
                is_bad = gone == "newsletter/bad_link.html"
                return _private(_bad_link(request, purpose) if is_bad else render(request, gone))
            with translation.override(person.language):
                return _private(page(request, person))

        return view

    return decorate


def _person(uuid: UUID) -> Subscriber | None:
    return Subscriber.objects.filter(uuid=uuid).first()


def _private(response: HttpResponse) -> HttpResponse:
    add_never_cache_headers(response)  # no-store, private
    # With no-referrer a browser sends "Origin: null", even to ourselves.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _bad_link(request: HttpRequest, purpose: Purpose, *, expired: bool = False) -> HttpResponse:
    """404 for what is no link of ours or leads to nobody, 410 for one whose time is over; the same for everybody."""
    context = {"purpose": purpose.value, "expired": expired}
    return render(request, "newsletter/bad_link.html", context, status=410 if expired else 404)


def _page(request: HttpRequest, template: str, person: Subscriber, status: int = 200, **context: Any) -> HttpResponse:
    context |= {
        "person": person,
        "language": person.language,
        "choices_url": reverse("newsletter:choices", args=[token(Purpose.CHOICES, person.uuid)]),
        "unsubscribe_url": reverse("newsletter:unsubscribe", args=[token(Purpose.UNSUBSCRIBE, person.uuid)]),
    }
    return render(request, f"newsletter/{template}.html", context, status=status)


@behind_link(Purpose.CONFIRM)
def confirm(request: HttpRequest, person: Subscriber) -> HttpResponse:
    if request.method != "POST":
        return _page(request, "confirmed" if person.status == Status.CONFIRMED else "confirm", person)
    if not subscribing.confirm(person, network=network(request)):
        return _bad_link(request, Purpose.CONFIRM, expired=True)
    return _page(request, "confirmed", person)


@behind_link(Purpose.UNSUBSCRIBE, gone="newsletter/unsubscribed.html")
def unsubscribe(request: HttpRequest, person: Subscriber) -> HttpResponse:
    """The page with the button, and the address that a mail program posts to (RFC 8058): 200, and no redirect."""
    if request.method != "POST":
        return _page(request, "unsubscribe", person)
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    subscribing.unsubscribe(person, method=Method.ONE_CLICK if one_click else Method.LINK, network=network(request))
    return _page(request, "unsubscribed", person)


@behind_link(Purpose.CHOICES)
def choices(request: HttpRequest, person: Subscriber) -> HttpResponse:
    """What somebody gets, and the ways out. `action` is the button that was pressed."""
    if request.method == "POST":
        action = request.POST.get("action", "")
        if action == "save":
            return _save(request, person)
        if done := _act(request, person, action):
            return see_other(f"{request.path}?done={done}")
    context: dict[str, Any] = {"form": ChoicesForm(subscriber=person), "done": DONE.get(request.GET.get("done", ""))}
    return _page(request, "choices", person, today=clock.now().date(), **context)


def _save(request: HttpRequest, person: Subscriber) -> HttpResponse:
    form = ChoicesForm(request.POST, subscriber=person)
    if not form.is_valid():
        return _page(request, "choices", person, status=422, form=form, today=clock.now().date())
    subscribing.change(
        person,
        frequency=form.cleaned_data["frequency"],
        has_topics=form.cleaned_data["scope"] == ChoicesForm.SOME,
        topics=form.cleaned_data["topics"],
        network=network(request),
    )
    return see_other(f"{request.path}?done=saved")


def _act(request: HttpRequest, person: Subscriber, action: str) -> str:
    """Do what a button says; the key of DONE, or "" for a button that is none of ours."""
    here = network(request)
    if action == "weekly":
        subscribing.change(person, frequency=Subscriber.Frequency.WEEKLY, network=here)
        return "weekly"
    if action.startswith("pause-") and (span := PAUSES.get(action.removeprefix("pause-"))):
        subscribing.pause(person, until=clock.now().date() + span, network=here)
        return "paused"
    if action == "resume":
        subscribing.pause(person, until=None, network=here)
        return "resumed"
    if action in (Delivery.Purpose.EXPORT, Delivery.Purpose.ERASE):
        return action if subscribing.send_link(person, Delivery.Purpose(action)) else "enough"
    return ""


@behind_link(Purpose.EXPORT)
def export(request: HttpRequest, person: Subscriber) -> HttpResponse:
    if request.method != "POST":
        return _page(request, "export", person)
    data = subscribing.export(person, network=network(request))
    body = json.dumps(data, ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": 'attachment; filename="my-newsletter-data.json"'}
    return HttpResponse(body, content_type="application/json", headers=headers)


@behind_link(Purpose.ERASE, gone="newsletter/erased.html")
def erase(request: HttpRequest, person: Subscriber) -> HttpResponse:
    if request.method != "POST":
        return _page(request, "erase", person)
    subscribing.erase(person, network=network(request))
    return render(request, "newsletter/erased.html", {"language": person.language})
