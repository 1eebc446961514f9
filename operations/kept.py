"""Nothing typed is lost: a save that could not be taken comes back as a page that holds it and sends it again.

Three things can go wrong with a form that was open for long: the session ended, a log-in in another tab changed
the token against forged requests, or the site failed. In each the answer carries every posted field.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import csrf as django_csrf
from django.views import defaults
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.debug import sensitive_variables

USERNAME, PASSWORD = "_kept_username", "_kept_password"
_LEFT_OUT = {"csrfmiddlewaretoken", USERNAME, PASSWORD}


def kept_response(
    request: HttpRequest, *, status: int, title: str, why: str, submit: str, ask_who: bool = False, problem: str = ""
) -> HttpResponse:
    """A page that holds all that was posted and sends it again, with a log-in where `ask_who`."""
    context = {
        "title": title,
        "why": why,
        "submit": submit,
        "problem": problem,
        "ask_who": ask_who,
        "fields": [(name, value) for name, values in request.POST.lists() if name not in _LEFT_OUT for value in values],
        "files": [getattr(upload, "name", "") for _name, upload in request.FILES.items()],
        "username": request.POST.get(USERNAME, ""),
        "path": request.get_full_path(),
    }
    html = render_to_string("admin/kept.html", context, request)
    return HttpResponse(html, status=status, headers={"Cache-Control": "no-store, private"})


def ask_to_log_in(request: HttpRequest, problem: str = "") -> HttpResponse:
    """The answer to a save by somebody whose session ended."""
    return kept_response(
        request,
        status=401,
        title=_("Log in to save"),
        why=_("You were logged out while you were writing. Nothing is lost: log in here and it is saved."),
        submit=_("Log in and save"),
        ask_who=True,
        problem=problem,
    )


@sensitive_variables("data", "form")
def log_in_again(request: HttpRequest, form_class: type[Any]) -> str:
    """Log in whoever the kept page's name and password belong to. Returns what is wrong, or an empty string.

    Afterwards the request holds what the form had posted, and nothing of the log-in.
    """
    data = {"username": request.POST.get(USERNAME, ""), "password": request.POST.get(PASSWORD, "")}
    form: forms.Form = form_class(request, data)
    if not form.is_valid():
        return " ".join(str(error) for errors in form.errors.values() for error in errors)
    login(request, form.get_user())  # type: ignore[attr-defined]
    posted = request.POST.copy()
    for name in (USERNAME, PASSWORD):
        posted.pop(name, None)
    assert isinstance(posted, QueryDict)
    request.POST = posted  # type: ignore[assignment]
    return ""


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW. A save from a page of our own is held until the person says again that they mean it.

    A browser says where a request comes from, and no page can make it say otherwise; from elsewhere, or where it
    does not say, the answer is the plain refusal.
    """
    if not (_of_admin(request) and _from_here(request)):
        return django_csrf.csrf_failure(request, reason)
    if not request.user.is_authenticated:
        return ask_to_log_in(request)
    return kept_response(
        request,
        status=403,
        title=_("Not saved yet"),
        why=_("You logged in again in another tab, so this page was out of date. Nothing is lost."),
        submit=_("Save now"),
    )


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """handler500. A save in the admin comes back to be tried again; everything else gets the plain page."""
    try:
        if request.method == "POST" and _of_admin(request):
            return kept_response(
                request,
                status=500,
                title=_("Not saved: the site failed"),
                why=_("It is our fault, and we have a record of it. Nothing you typed is lost: wait a moment and try "
                      "again, and leave this page open until it worked."),
                submit=_("Try again"),
            )  # fmt: skip
    except Exception:  # whatever broke the site may break this page too
        return defaults.server_error(request)
    return defaults.server_error(request)


def _of_admin(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("admin:index")) and request.path not in {
        reverse("admin:login"),
        reverse("admin:logout"),
    }


def _from_here(request: HttpRequest) -> bool:
    origin = f"{request.scheme}://{request.get_host()}"
    if "Sec-Fetch-Site" in request.headers:
        return request.headers["Sec-Fetch-Site"] == "same-origin"
    return request.headers.get("Origin") == origin
