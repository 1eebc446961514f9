"""What can be done with an issue besides writing it: look at it, test it, send it, watch it, and decide what is open.

Every page checks its own permission, every change is a POST that calls one function of `issues.py` or
`deliveries.py`, which asks the state again, and what they refuse comes back as their sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from csp.constants import NONE, SELF
from csp.decorators import csp, csp_replace
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from newsletter import addresses, clock, composing, deliveries, issues, limits, planning
from newsletter.admin.progress import LISTED, Progress, number, sender_runs
from newsletter.messages import LARGEST
from newsletter.models import Alarm, Delivery, Issue, Subscriber
from publishing.admin.workflow import ReasonForm, person
from publishing.services import name_of

State = Delivery.State

SEND = "newsletter.send_issue"
CHANGE = "newsletter.change_issue"
DELIVERIES = "newsletter.view_delivery"

# A test goes to any address: enough for whoever designs a mail, too few for whoever abuses an account.
TESTS_AN_HOUR = 30
# Deliveries on a page, and how many one click on "all" settles: each is a transaction of its own.
PAGE, AT_ONCE = 100, 100

# What may be decided about deliveries in a state: what is sent, its label, and what it means.
DECISIONS: dict[str, list[tuple[str, Any, Any]]] = {
    State.UNKNOWN: [
        (
            "sent",
            gettext_lazy("Count as sent"),
            gettext_lazy(
                "They are taken for delivered, and get nothing more. After a crash of our own that is right nearly"
                " always: the relay had them."
            ),
        ),
        (
            "again",
            gettext_lazy("Send again"),
            gettext_lazy("They are queued once more. Whoever did get the first mail, gets it twice."),
        ),
    ],
    State.FAILED: [
        (
            "again",
            gettext_lazy("Try again"),
            gettext_lazy("They are queued once more. It helps where the relay was wrong, not where the address is."),
        ),
    ],
    State.POISONED: [
        (
            "again",
            gettext_lazy("Try again"),
            gettext_lazy("They are queued once more. Mend first what the answer names."),
        ),
    ],
}  # fmt: skip


class TestForm(forms.Form):
    """Where a test goes."""

    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email", "size": 40}),
        error_messages={"required": gettext_lazy("Write the address that the test goes to.")},
    )

    def clean_address(self) -> str:
        return addresses.tidy(self.cleaned_data["address"])


class SendForm(forms.Form):
    """The number of recipients, typed by hand, and the version of the text that was looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    count = forms.CharField(
        label=gettext_lazy("How many people get it? Type the number."),
        max_length=20,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "size": 12}),
        error_messages={"required": gettext_lazy("Type the number of people that it goes to.")},
    )

    def clean_count(self) -> int:
        digits = re.sub(r"[\s.,'\u2019]", "", self.cleaned_data["count"])  # however thousands are set apart
        if not digits.isdecimal():
            raise ValidationError(_("Type the number of people that it goes to."))
        return int(digits)


class IssuePages:
    """The pages of an issue, and the links between them."""

    opts: Any
    admin_site: Any

    # --- Addresses ---

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, str, Callable[..., Any]]] = [
            ("alarms/dismiss/", "dismiss", require_POST(self.dismiss_view)),
            ("<int:pk>/preview/", "preview", self.preview_view),
            ("<int:pk>/preview/html/", "preview_html", self.preview_html_view),
            ("<int:pk>/test/", "test", self.test_view),
            ("<int:pk>/send/", "send", self.send_view),
            ("<int:pk>/progress/", "progress", self.progress_view),
            ("<int:pk>/progress/figures/", "figures", self.figures_view),
            ("<int:pk>/take-back/", "take_back", require_POST(self.take_back_view)),
            ("<int:pk>/pause/", "pause", require_POST(self.pause_view)),
            ("<int:pk>/resume/", "resume", require_POST(self.resume_view)),
            ("<int:pk>/cancel/", "cancel", self.cancel_view),
            ("<int:pk>/deliveries/<str:state>/", "deliveries", self.deliveries_view),
        ]
        urls = [
            path(route, self.admin_site.admin_view(view), name=f"newsletter_issue_{name}")
            for route, name, view in pages
        ]
        return [*urls, *super().get_urls()]  # type: ignore[misc]

    def page_url(self, view: str, issue: Any, *args: Any) -> str:
        return reverse(f"admin:newsletter_issue_{view}", args=[issue.pk, *args])

    def bar(self, request: HttpRequest, issue: Issue, here: str = "") -> list[tuple[str, str, str]]:
        """What this person may do with an issue: (label, address, emphasis)."""
        draft = issue.state == Issue.State.DRAFT
        links = [("change", _("Write"), "")] if draft else [("progress", _("Progress"), "")]
        links.append(("preview", _("Preview"), ""))
        if request.user.has_perm(CHANGE):
            links.append(("test", _("Send a test…"), ""))
        links.append(("history", _("Who did what"), ""))
        if draft and request.user.has_perm(SEND):
            links.append(("send", _("Send…"), "main"))
        return [(label, self.page_url(view, issue), emphasis) for view, label, emphasis in links if view != here]

    # --- What the pages share ---

    def _issue(self, request: HttpRequest, pk: int, permission: str = "") -> Issue:
        """The issue. Raises Http404, or PermissionDenied where this person may not see it or lacks `permission`."""
        if not self.has_view_or_change_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if permission and not request.user.has_perm(permission):
            raise PermissionDenied
        issue = Issue.objects.filter(pk=pk).select_related("made_by", "sent_by").first()
        if issue is None:
            raise Http404
        return issue

    def _page(self, request: HttpRequest, issue: Issue, page: str, title: str, **context: Any) -> TemplateResponse:
        context |= self.admin_site.each_context(request) | {
            "title": title,
            "subtitle": str(issue),
            "issue": issue,
            "opts": self.opts,
            "back": self._home(issue),
            "workflow": {"state": issue, "links": self.bar(request, issue, page)},
            "may_send": request.user.has_perm(SEND),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/newsletter/issue/{page}.html", context)

    def _home(self, issue: Issue) -> str:
        return self.page_url("change" if issue.state == Issue.State.DRAFT else "progress", issue)

    def _act(self, request: HttpRequest, issue: Issue, act: Callable[[], Any], done: str) -> HttpResponse:
        """Do it, say so (or why not), and go to where the issue is now watched or written."""
        try:
            act()
        except issues.Refused as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, issue, done)  # type: ignore[attr-defined]  # who did it, and when
            messages.success(request, done)
        return HttpResponseRedirect(self._home(Issue.objects.get(pk=issue.pk)))

    # --- Preview and test ---

    @method_decorator(csp_replace({"frame-src": [SELF]}))
    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The mail as its reader sees it: on a phone or a desk, light or dark, and its text part."""
        issue = self._issue(request, pk)
        shown = {
            "width": _chosen(request, "width", "phone", "desktop"),
            "scheme": _chosen(request, "scheme", "light", "dark"),
        }
        subject, text, _html = composing.issue_parts(issue, planning.current_items(issue))
        switches = [
            [
                {"label": label, "url": "?" + urlencode(shown | {name: value}), "current": shown[name] == value}
                for value, label in choices
            ]
            for name, choices in (
                ("width", [("phone", _("Phone")), ("desktop", _("Desktop"))]),
                ("scheme", [("light", _("Light")), ("dark", _("Dark"))]),
            )
        ]
        frame = f"{self.page_url('preview_html', issue)}?{urlencode({'scheme': shown['scheme']})}"
        return self._page(
            request,
            issue,
            "preview",
            _("Preview"),
            mail_subject=subject,
            text=text,
            frame=frame,
            shown=shown,
            switches=switches,
        )

    @method_decorator(xframe_options_sameorigin)
    @method_decorator(
        # What is mailed carries its style inside. Nothing else of it works here: no script, no form, no address of
        # another site.
        csp(
            {
                "default-src": [NONE],
                "style-src": ["'unsafe-inline'"],
                "img-src": [SELF],
                "base-uri": [NONE],
                "form-action": [NONE],
                "frame-ancestors": [SELF],
                "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
            }
        )
    )
    def preview_html_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The HTML part alone, for the frame of the preview."""
        issue = self._issue(request, pk)
        _subject, _text, html = composing.issue_parts(issue, planning.current_items(issue))
        response = HttpResponse(in_scheme(html, _chosen(request, "scheme", "light", "dark")))
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        issue = self._issue(request, pk, CHANGE)
        form = TestForm(request.POST or None, initial={"address": person(request).email}, label_suffix="")
        if request.method == "POST" and form.is_valid():
            if limits.take(f"test:{person(request).pk}", TESTS_AN_HOUR, timedelta(hours=1)):
                return self._test(request, issue, form.cleaned_data["address"])
            form.add_error(None, _("You have sent %d tests within an hour. Wait a while.") % TESTS_AN_HOUR)
        may_see = may_see_addresses(request)
        tests = Delivery.objects.filter(issue=None, about=issue).order_by("-pk")[:5]
        return self._page(
            request,
            issue,
            "test",
            _("Send a test"),
            form=form,
            tests=read_answers(tests, addresses_too=may_see),
            caught=_caught_mail(),
            sender_runs=sender_runs(),
        )

    def _test(self, request: HttpRequest, issue: Issue, address: str) -> HttpResponse:
        deliveries.queue_test(issue, address)
        self.log_change(request, issue, _("A test was queued."))  # type: ignore[attr-defined]
        messages.success(request, _("A test is on its way to %s.") % address)
        return HttpResponseRedirect(self.page_url("test", issue))

    # --- Send ---

    def send_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What goes out and to how many; the number is typed, and a minute is left to take it back.

        The log-in is not asked for again: the typed number and the minute are the second look.
        """
        issue = self._issue(request, pk, SEND)
        if issue.state != Issue.State.DRAFT:
            messages.info(request, _("This issue is on its way already."))
            return HttpResponseRedirect(self._home(issue))
        form = SendForm(request.POST or None, initial={"version": issue.version}, label_suffix="")
        obstacles = find_obstacles(issue)
        if request.method == "POST" and form.is_valid() and not obstacles:
            if self._start(request, issue, form):
                return HttpResponseRedirect(self.page_url("progress", issue))
            issue = self._issue(request, pk, SEND)
            obstacles = find_obstacles(issue)
        groups = issues.audience(issue, clock.now()).order_by().values_list("frequency").annotate(people=Count("pk"))
        labels = dict(Subscriber.Frequency.choices)
        frequencies = [(labels[frequency], number(people)) for frequency, people in sorted(groups)]
        return self._page(
            request,
            issue,
            "send",
            _("Send"),
            form=form,
            obstacles=obstacles,
            items=issue.items.select_related("publication__live"),
            language=dict(settings.LANGUAGES).get(issue.language, issue.language),
            people=sum(people for _frequency, people in groups),
            frequencies=frequencies,
            undo_seconds=round(issues.UNDO.total_seconds()),
            sender_runs=sender_runs(),
        )

    def _start(self, request: HttpRequest, issue: Issue, form: SendForm) -> bool:
        """Start it if it is what was looked at; otherwise the form says why not."""
        try:
            with transaction.atomic():
                # The row is held, so that no save comes between this look and the start.
                version = Issue.objects.select_for_update().values_list("version", flat=True).get(pk=issue.pk)
                if version != form.cleaned_data["version"]:
                    raise issues.Refused(
                        _("It was changed since this page was opened. Look at it once more, then send.")
                    )
                issues.start(issue=issue, by=person(request), expected=form.cleaned_data["count"])
        except issues.Refused as refusal:
            form.add_error(None, str(refusal))
            data = request.POST.copy()
            data["version"] = str(Issue.objects.values_list("version", flat=True).get(pk=issue.pk))
            form.data = data
            return False
        self.log_change(request, issue, _("Sending was started."))  # type: ignore[attr-defined]
        return True

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        issue = self._issue(request, pk, SEND)
        return self._act(request, issue, lambda: issues.take_back(issue=issue), _("Taken back. Nothing was sent."))

    # --- Watch ---

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        issue = self._issue(request, pk)
        if issue.state == Issue.State.DRAFT:
            return HttpResponseRedirect(self._home(issue))
        progress = Progress(issue, issues.tally(issue))
        suppressed = issue.deliveries.filter(state=State.SUPPRESSED) if progress.counts[State.SUPPRESSED] else None
        waits = issue.state == Issue.State.WAITING
        return self._page(
            request,
            issue,
            "progress",
            _("Progress"),
            progress=progress,
            reasons=suppressed.order_by().values_list("reply").annotate(n=Count("pk")).order_by("-n")[:20]
            if suppressed
            else [],
            items=issue.items.select_related("publication"),
            expected=issues.audience(issue, clock.now()).count() if waits else 0,
            may_list=request.user.has_perm(DELIVERIES),
            sender_runs=sender_runs() or not progress.running,
        )

    def figures_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """The figures of the progress page, for its script."""
        issue = self._issue(request, pk)
        return JsonResponse(Progress(issue, issues.tally(issue)).as_json())

    def pause_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        issue = self._issue(request, pk, SEND)
        reason = _("Paused by %s.") % name_of(person(request))
        return self._act(request, issue, lambda: issues.pause(issue=issue, reason=reason), _("Paused."))

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        issue = self._issue(request, pk, SEND)
        return self._act(request, issue, lambda: issues.resume(issue=issue), _("It goes on."))

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        issue = self._issue(request, pk, SEND)
        form = ReasonForm(request.POST or None, label_suffix="")
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            return self._act(request, issue, lambda: issues.cancel(issue=issue, reason=reason), _("Cancelled."))
        counts = issues.tally(issue)
        return self._page(
            request,
            issue,
            "cancel",
            _("Cancel"),
            form=form,
            gone=number(counts[State.SENT] + counts[State.UNKNOWN]),
            left=number(sum(counts[state] for state in Delivery.OPEN)),
        )

    # --- Decide ---

    def deliveries_view(self, request: HttpRequest, pk: int, state: str) -> HttpResponse:
        """The deliveries in a state one by one, each with the relay's answer; a POST decides what becomes of them."""
        issue = self._issue(request, pk, DELIVERIES)
        if state not in LISTED:
            raise Http404
        if request.method == "POST":
            return self._decide(request, issue, state)
        found = issue.deliveries.filter(state=state)
        may_see = may_see_addresses(request)
        rows = read_answers(_after(request, found).order_by("due_at", "pk")[: PAGE + 1], addresses_too=may_see)
        last = rows[PAGE - 1] if len(rows) > PAGE else None
        answers = found.order_by().values_list("smtp_code", "reply" if state == State.SUPPRESSED else "state")
        return self._page(
            request,
            issue,
            "deliveries",
            str(State(state).label),
            state=state,
            rows=rows[:PAGE],
            count=found.count(),
            at_once=number(AT_ONCE),
            answers=answers.annotate(n=Count("pk")).order_by("-n")[:10],
            next_page=f"?{urlencode({'after': last.due_at.isoformat(), 'id': last.pk})}" if last else "",
            decisions=decisions_about(issue, state),
            may_see_addresses=may_see,
        )

    def _decide(self, request: HttpRequest, issue: Issue, state: str) -> HttpResponse:
        """Settle one delivery or, as many as one click may, all of a state."""
        if not request.user.has_perm(SEND):
            raise PermissionDenied
        wanted = request.POST.get("decision", "")
        labels = {name: label for name, label, _meaning in decisions_about(issue, state)}
        if wanted not in labels:
            raise Http404
        which = request.POST.get("delivery", "")
        found = issue.deliveries.filter(state=state).order_by("due_at", "pk")
        if which != "all":
            found = found.filter(pk=which) if which.isdecimal() else found.none()
        decided = self._settle(request, found[:AT_ONCE], wanted)
        if decided:
            said = ngettext("%(what)s: %(n)s mail.", "%(what)s: %(n)s mails.", decided)
            said %= {"what": labels[wanted], "n": number(decided)}
            self.log_change(request, issue, said)  # type: ignore[attr-defined]
            messages.success(request, said)
        else:
            messages.error(request, _("Nothing was changed: it was decided meanwhile, or the address is gone."))
        return HttpResponseRedirect(self.page_url("deliveries", issue, state))

    def _settle(self, request: HttpRequest, rows: Iterable[Delivery], wanted: str) -> int:
        """Decide about each; return how many still were what they were taken for."""
        if wanted == "again":
            return sum(deliveries.send_again(row) for row in rows)
        by = _("Counted as sent by %s.") % name_of(person(request))
        return sum(deliveries.resolve_unknown(row.pk, True, by) for row in rows)

    # --- Alarms ---

    def dismiss_view(self, request: HttpRequest) -> HttpResponse:
        """Take an alarm off the desk, unless it says something newer than what was read."""
        if not request.user.has_perm(SEND):
            raise PermissionDenied
        at = _moment(request.POST.get("at", ""))
        gone, _by_model = Alarm.objects.filter(key=request.POST.get("key", ""), at=at).delete() if at else (0, {})
        if not gone:
            messages.info(request, _("It has been dismissed already, or says something new."))
        to_start = request.POST.get("from") == "start"
        return HttpResponseRedirect(reverse("admin:index" if to_start else "admin:newsletter_issue_changelist"))


# --- What the pages ask ----------------------------------------------------------------------------------------


def decisions_about(issue: Issue, state: str) -> list[tuple[str, Any, Any]]:
    """What may be decided about an issue's deliveries in a state; nothing leaves any more once it is cancelled."""
    over = issue.state == Issue.State.CANCELLED
    return [decision for decision in DECISIONS.get(state, []) if not (over and decision[0] == "again")]


def may_see_addresses(request: HttpRequest) -> bool:
    """Others see the ID of a delivery instead."""
    return request.user.has_perm("newsletter.view_subscriber")


def find_obstacles(issue: Issue) -> list[str]:
    """Why an issue cannot be sent, each as a sentence; the same is asked again when it is started."""
    found = []
    if not issue.subject.strip():
        found.append(_("It has no subject."))
    items = list(issue.items.select_related("publication"))
    if not items and not issue.opening.strip():
        found.append(_("It has no article and no opening text."))
    current = planning.current_items(issue)
    may_go = {item.pk for item in current}
    for item in items:
        if item.pk in may_go:
            continue
        name = {"article": item.publication}
        if item.publication.is_withdrawn:
            found.append(_("“%(article)s” was withdrawn. Take it out.") % name)
        else:
            found.append(_("“%(article)s” may not be mailed now: it is not public, or not reviewed.") % name)
    if not found and (size := _size(issue, current)) > LARGEST:
        found.append(
            _("It is too large: %(size)s KB. Mail programs cut off what is over 100 KB.")
            % {"size": number(round(size / 1024))}
        )
    return found


def _size(issue: Issue, items: list[Any]) -> int:
    """The bytes of the whole message; more than is allowed where composing it says so."""
    reader = composing.Recipient(0, "reader@example.org", issue.uuid)
    try:
        return len(composing.issue_mail(issue, items).personal(reader))
    except composing.TooLarge:
        return LARGEST + 1


_ADDRESS = re.compile(r"[^\s<>()\"':;,]+@[^\s<>()\"':;,]+")


def read_answers(rows: Iterable[Delivery], *, addresses_too: bool) -> list[Delivery]:
    """The deliveries, without the addresses that relays like to repeat in their answers, unless they may be seen."""
    found = list(rows)
    if not addresses_too:
        for row in found:
            row.address, row.reply = "", _ADDRESS.sub("…", row.reply)
    return found


_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_BOTH = re.compile(r"(color-scheme[^;>]*?)\blight dark\b")


def in_scheme(html: str, scheme: str) -> str:
    """HTML as it looks in a mail program that is light or dark, whatever the browser is.

    The browser's own scheme cannot be set from a page, so each question about it is answered here.
    """
    html = _SCHEME.sub(lambda asked: "(min-width: 0)" if asked[1] == scheme else "(max-width: 0)", html)
    return _BOTH.sub(rf"\1{scheme}", html)


def _chosen(request: HttpRequest, name: str, default: str, other: str) -> str:
    return other if request.GET.get(name) == other else default


def _after(request: HttpRequest, rows: Any) -> Any:
    """The rows after the one that a page ended with (keyset paging by due_at and ID)."""
    at, last = _moment(request.GET.get("after", "")), request.GET.get("id", "")
    if at is None or not last.isdecimal():
        return rows
    return rows.filter(Q(due_at__gt=at) | Q(due_at=at, pk__gt=int(last)), due_at__gte=at)


def _moment(text: str) -> datetime | None:
    """A time with its zone as an address or a form of ours has it; None for anything else."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _caught_mail() -> str:
    """Where mail can be read on a developer's machine, or "" where it really leaves."""
    try:
        return reverse("mail:list")
    except NoReverseMatch:
        return ""
