"""Subscribers in the admin: who they are, what they agreed to, what was sent to them; and all of them as a file.

Nobody is added or edited here: consent cannot be typed by somebody else. What an editor may do for a person who
asked by mail or by phone is a page of its own, a POST, one call of `subscribing.py`, and a line in both records. The
admin's log names people by number, so that it need not be cleaned when somebody is erased.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter import addresses, clock, exporting, growth, importing, subscribing
from newsletter.models import Bounce, Consent, Delivery, Subscriber, SubscriberFile, Suppression
from publishing.admin.workflow import person as editor

Status = Subscriber.Status

IMPORT = "newsletter.import_subscriber"
EXPORT = "newsletter.export_subscriber"
STOP = "newsletter.change_subscriber"

# Deliveries on a person's page; older ones are a link further.
PAGE = 50
# How a status is shown, in the colours of the other states of the desk.
STYLES = {
    Status.PENDING: "in-review",
    Status.CONFIRMED: "live",
    Status.UNSUBSCRIBED: "left",
    Status.BOUNCED: "blocked",
    Status.COMPLAINED: "blocked",
}
# What they get, in the narrow column of the list.
SHORT = {
    Subscriber.Frequency.EVERY: gettext_lazy("Every article"),
    Subscriber.Frequency.WEEKLY: gettext_lazy("Once a week"),
    Subscriber.Frequency.CORRECTIONS: gettext_lazy("Corrections"),
}


# --- Forms -----------------------------------------------------------------------------------------------------


class WhyForm(forms.Form):
    """Why an editor does it, for the record."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy(
            "How they asked, and when: “By phone, 3 May”. It goes on record and outlives an erasure: write no name, "
            "no address and nothing about their health."
        ),
        error_messages={"required": gettext_lazy("Say why.")},
    )


class TypedForm(WhyForm):
    """The same, with the address typed once more."""

    address = forms.CharField(
        label=gettext_lazy("Type the address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off", "spellcheck": "false", "size": 40}),
        error_messages={"required": gettext_lazy("Type the address.")},
    )
    field_order = ("address", "reason")

    def __init__(self, *args: Any, digest: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.digest = digest

    def clean_address(self) -> str:
        address = addresses.tidy(self.cleaned_data["address"])
        if self.digest not in addresses.digests(address):
            raise ValidationError(_("This is another address."))
        return address


class FileForm(forms.Form):
    """A file of subscribers, and where their consent comes from."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput({"accept": ".csv,text/csv"}),
        help_text=gettext_lazy("CSV in UTF-8, up to 5 MB."),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty."),
        },
    )
    consent = forms.CharField(
        label=gettext_lazy("Where their consent comes from"),
        max_length=300,
        min_length=10,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy(
            "For example: “Sign-up form of our old site, confirmed by mail, 2019 to 2025.” It goes on record for each "
            "of them, with your name."
        ),
        error_messages={
            "required": gettext_lazy("Say where their consent comes from."),
            "min_length": gettext_lazy("Say it in a sentence."),
        },
    )

    def clean_file(self) -> str:
        """The text of the file."""
        file = self.cleaned_data["file"]
        if file.size > importing.MOST_BYTES:
            raise ValidationError(_("The file is larger than 5 MB. Divide it, and import each part."))
        try:
            return importing.decode(file.read())
        except importing.Unreadable as error:
            raise ValidationError(str(error)) from error


class ExportForm(forms.Form):
    status = forms.MultipleChoiceField(
        label=gettext_lazy("Whom"),
        choices=Status.choices,
        initial=[Status.CONFIRMED],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )


# --- The list --------------------------------------------------------------------------------------------------


class LanguageFilter(admin.SimpleListFilter):
    """The site's languages, without asking a million rows which there are."""

    title = gettext_lazy("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(settings.LANGUAGES)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(language=self.value()) if self.value() else queryset


@admin.register(Subscriber)
class SubscriberAdmin(admin.ModelAdmin):
    """Everybody who asked for mail, and what can be done for them."""

    change_list_template = "admin/newsletter/subscriber/change_list.html"
    list_display = ["address", "shown_status", "gets", "shown_language", "signed_up", "confirmed"]
    list_filter = ["status", "frequency", LanguageFilter, "confirmed_at"]
    search_fields = ["address"]
    search_help_text = gettext_lazy("A whole address, or how it begins. A whole one also finds who was erased.")
    # As they came: the list is read along the primary key, however long it is.
    ordering = ["-pk"]
    sortable_by: ClassVar[Any] = ["address", "signed_up", "confirmed"]
    show_full_result_count = False
    actions = None
    list_per_page = 50

    @admin.display(description=gettext_lazy("status"))
    def shown_status(self, person: Subscriber) -> str:
        return badge(person.status)

    @admin.display(description=gettext_lazy("gets"))
    def gets(self, person: Subscriber) -> str:
        return str(SHORT[Subscriber.Frequency(person.frequency)])

    @admin.display(description=gettext_lazy("language"))
    def shown_language(self, person: Subscriber) -> str:
        return language_name(person.language)

    @admin.display(description=gettext_lazy("signed up"), ordering="signed_up_at")
    def signed_up(self, person: Subscriber) -> str:
        return day(person.signed_up_at)

    @admin.display(description=gettext_lazy("confirmed"), ordering="confirmed_at")
    def confirmed(self, person: Subscriber) -> str:
        return day(person.confirmed_at)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        typed = search_term.strip().lower()
        return (queryset.filter(address__startswith=typed) if typed else queryset), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {
            "growth": growth.chart(growth.months()) if self.has_view_permission(request) else None,
            "may_import": request.user.has_perm(IMPORT),
            "may_export": request.user.has_perm(EXPORT),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Search. Posted, so that a whole address is in no browser's history and in no server's log."""
        self._allow(request)
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        typed = request.POST.get("q", "").strip()[:254]
        everybody = reverse("admin:newsletter_subscriber_changelist")
        try:
            address = addresses.tidy(typed)
        except ValidationError:
            return HttpResponseRedirect(f"{everybody}?{urlencode({'q': typed})}" if typed else everybody)
        if person := Subscriber.objects.filter(address=address).first():
            return HttpResponseRedirect(reverse("admin:newsletter_subscriber_change", args=[person.pk]))
        if erased := Suppression.objects.filter(pk__in=addresses.digests(address)).first():
            return HttpResponseRedirect(reverse("admin:newsletter_subscriber_erased", args=[erased.pk]))
        messages.warning(request, _("There is nobody with this address, and nobody with it was erased."))
        return HttpResponseRedirect(everybody)

    # --- Rights and addresses ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, str, Callable[..., Any]]] = [
            ("find/", "find", self.find_view),
            ("import/", "import", self.import_view),
            ("import/<uuid:pk>/", "import_file", self.import_file_view),
            ("export/", "export", self.export_view),
            ("erased/<str:digest>/", "erased", self.erased_view),
            ("<int:pk>/unsubscribe/", "unsubscribe", self.unsubscribe_view),
            ("<int:pk>/lift/", "lift", self.lift_view),
            ("<int:pk>/erase/", "erase", self.erase_view),
            ("<int:pk>/data/", "data", self.data_view),
        ]
        urls = [
            path(route, self.admin_site.admin_view(view), name=f"newsletter_subscriber_{name}")
            for route, name, view in pages
        ]
        return [*urls, *super().get_urls()]

    def _allow(self, request: HttpRequest, permission: str = "") -> None:
        """Raises PermissionDenied where this person may not look at subscribers, or lacks the permission."""
        if not self.has_view_permission(request) or (permission and not request.user.has_perm(permission)):
            raise PermissionDenied

    def _person(self, request: HttpRequest, pk: int, permission: str = "") -> Subscriber:
        self._allow(request, permission)
        return get_object_or_404(Subscriber, pk=pk)

    def _page(self, request: HttpRequest, page: str, title: str, **context: Any) -> TemplateResponse:
        context |= self.admin_site.each_context(request) | {"title": title, "opts": self.opts}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/newsletter/subscriber/{page}.html", context)

    def _log(self, request: HttpRequest, message: str, *, person: Subscriber | None = None) -> None:
        """Who did it, and when. `log_change` would write the address down."""
        LogEntry.objects.create(
            user=editor(request),
            content_type=ContentType.objects.get_for_model(Subscriber),
            object_id=str(person.pk) if person else None,
            object_repr=_("Subscriber %(id)s") % {"id": person.pk} if person else _("Subscribers"),
            action_flag=CHANGE,
            change_message=message,
        )

    # --- One person ---

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of a person. There is no form on it, and a POST does nothing."""
        self._allow(request)
        person = self.get_object(request, object_id)
        if person is None:
            raise Http404
        sent = Delivery.objects.filter(subscriber=person).select_related("issue").order_by("-pk")
        before = request.GET.get("before", "")
        if before.isdecimal() and len(before) < 19:
            sent = sent.filter(pk__lt=int(before))
        mails = list(sent[: PAGE + 1])
        return self._page(
            request,
            "person",
            person.address,
            person=person,
            badge=badge(person.status),
            language=language_name(person.language),
            topics=person.topics.count(),
            records=records({person.address_hmac, *addresses.digests(person.address)}),
            mails=mails[:PAGE],
            older=mails[PAGE - 1].pk if len(mails) > PAGE else None,
            newest=not before,
            bounces=Bounce.objects.filter(subscriber=person).select_related("delivery__issue").order_by("-pk")[:PAGE],
            links=self._links(request, person),
        )

    def _links(self, request: HttpRequest, person: Subscriber) -> list[tuple[str, str]]:
        """What this account may do for a person: label and address."""
        found = []
        if request.user.has_perm(STOP):
            if person.status in {Status.PENDING, Status.CONFIRMED}:
                found.append(("unsubscribe", _("Unsubscribe…")))
            if person.status in subscribing.STOPPED:
                found.append(("lift", _("Lift the stop…")))
        if request.user.has_perm(EXPORT):
            found.append(("data", _("Their data…")))
        if request.user.has_perm(STOP):
            found.append(("erase", _("Erase…")))
        return [(label, reverse(f"admin:newsletter_subscriber_{name}", args=[person.pk])) for name, label in found]

    def unsubscribe_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        person = self._person(request, pk, STOP)
        form = WhyForm(posted(request))

        def act() -> bool:
            return subscribing.unsubscribe(
                person, method=Consent.Method.ADMIN, by=editor(request), detail=form.cleaned_data["reason"]
            )

        return self._confirm(
            request,
            person,
            form,
            act,
            title=_("Unsubscribe"),
            text=_("They get no more mail from this moment on. They can sign up again whenever they like."),
            done=_("Unsubscribed."),
        )

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        person = self._person(request, pk, STOP)
        form = WhyForm(posted(request))

        def act() -> bool:
            return (
                subscribing.lift(subscriber=person, by=editor(request), reason=form.cleaned_data["reason"]) is not None
            )

        return self._confirm(
            request,
            person,
            form,
            act,
            title=_("Lift the stop"),
            text=_(
                "Do this where the address works again, or where they did not mean to report us. What they had last "
                "wished for then holds again: who was subscribed gets mail, who had unsubscribed gets none."
            ),
            done=_("The stop is lifted."),
        )

    def erase_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        person = self._person(request, pk, STOP)
        form = TypedForm(posted(request), digest=addresses.digest(person.address))

        def act() -> bool:
            return subscribing.erase(
                person, method=Consent.Method.ADMIN, by=editor(request), detail=form.cleaned_data["reason"]
            )

        return self._confirm(
            request,
            person,
            form,
            act,
            title=_("Erase"),
            text=_(
                "The address, the choices and the link to every mail are deleted for good. What stays is a mark that "
                "cannot be turned back into the address, so that nobody writes to it by mistake, and the record of "
                "consent under that mark. Only do this where you know that the owner of the address asks for it."
            ),
            done=_("Erased."),
            danger=True,
        )

    def _confirm(
        self,
        request: HttpRequest,
        person: Subscriber,
        form: forms.Form,
        act: Callable[[], bool],
        *,
        title: str,
        text: str,
        done: str,
        danger: bool = False,
    ) -> HttpResponse:
        """A page that says what will happen, and does it on POST."""
        if request.method == "POST" and form.is_valid():
            pk = person.pk
            if act():
                self._log(request, done, person=Subscriber(pk=pk))
                messages.success(request, done)
            else:
                messages.warning(request, _("Nothing was left to do: it was done meanwhile."))
            still_here = Subscriber.objects.filter(pk=pk).exists()
            name, args = ("change", [pk]) if still_here else ("changelist", [])
            return HttpResponseRedirect(reverse(f"admin:newsletter_subscriber_{name}", args=args))
        return self._page(
            request,
            "confirm",
            title,
            person=person,
            badge=badge(person.status),
            form=form,
            text=text,
            danger=danger,
            back=reverse("admin:newsletter_subscriber_change", args=[person.pk]),
        )

    def data_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Everything that is kept about a person, for whoever asked an editor for it."""
        person = self._person(request, pk, EXPORT)
        if request.method == "POST":
            data = subscribing.export(person, method=Consent.Method.ADMIN, by=editor(request))
            self._log(request, _("Took out all data about them."), person=person)
            response = JsonResponse(data, json_dumps_params={"indent": 2, "ensure_ascii": False})
            response.headers["Content-Disposition"] = f'attachment; filename="subscriber-{person.pk}.json"'
            return response
        return self._page(
            request,
            "data",
            _("Their data"),
            person=person,
            badge=badge(person.status),
            back=reverse("admin:newsletter_subscriber_change", args=[person.pk]),
        )

    # --- Somebody who was erased ---

    def erased_view(self, request: HttpRequest, digest: str) -> HttpResponse:
        """What is left of somebody: when and why, the record of consent, and a stop that can be lifted."""
        self._allow(request)
        found = get_object_or_404(Suppression, pk=digest)
        stopped = found.reason != Suppression.Reason.ERASED
        may_lift = stopped and request.user.has_perm(STOP)
        form = TypedForm(posted(request), digest=digest) if may_lift else None
        if request.method == "POST":
            if form is None:
                raise PermissionDenied
            if form.is_valid():
                typed, reason = form.cleaned_data["address"], form.cleaned_data["reason"]
                if subscribing.lift_suppression(address=typed, by=editor(request), reason=reason):
                    self._log(request, _("Lifted the stop of an erased address."))
                    messages.success(request, _("The stop is lifted: they may sign up again."))
                return HttpResponseRedirect(request.path)
        return self._page(
            request,
            "erased",
            _("Erased person"),
            found=found,
            stopped=stopped,
            form=form,
            records=records({digest}),
        )

    # --- As a file ---

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """The first step: choose the file. Nothing is imported yet."""
        self._allow(request, IMPORT)
        form = FileForm(posted(request), request.FILES or None)
        if request.method == "POST" and form.is_valid():
            importing.forget_files()
            file = SubscriberFile.objects.create(
                text=form.cleaned_data["file"], consent=form.cleaned_data["consent"], by=editor(request)
            )
            return HttpResponseRedirect(reverse("admin:newsletter_subscriber_import_file", args=[file.pk]))
        return self._page(
            request,
            "import",
            _("Import subscribers"),
            form=form,
            statuses=Status.values,
            frequencies=Subscriber.Frequency.values,
            languages=[code for code, _name in settings.LANGUAGES],
            most=number_format(importing.MOST_ROWS, force_grouping=True),
        )

    def import_file_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The second step: what the import would do now; and the import, as often as it takes."""
        self._allow(request, IMPORT)
        again = HttpResponseRedirect(reverse("admin:newsletter_subscriber_import"))
        file = SubscriberFile.objects.filter(pk=pk, at__gte=clock.now() - importing.KEPT).first()
        if file is not None and file.by_id != request.user.pk:
            raise PermissionDenied
        if file is None:
            messages.warning(request, _("This file is not kept any more. Choose it again; who was added stays."))
            return again
        try:
            if request.method == "POST":
                return self._bring_in(request, file)
            report = importing.look(file.text)
        except importing.Unreadable as error:
            messages.error(request, str(error))
            return again
        return self._page(
            request,
            "import_file",
            _("Look before you import"),
            file=file,
            report=report,
            button=ngettext("Import %(count)s person", "Import %(count)s people", report.adding)
            % {"count": report.adding},
        )

    def _bring_in(self, request: HttpRequest, file: SubscriberFile) -> HttpResponse:
        report = importing.bring_in(file.text, consent=file.consent, by=editor(request))
        file.delete()
        done = ngettext("%(count)s person was imported.", "%(count)s people were imported.", report.adding)
        done %= {"count": report.adding}
        self._log(request, f"{done} {file.consent}")
        messages.success(request, done)
        return HttpResponseRedirect(reverse("admin:newsletter_subscriber_changelist"))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        self._allow(request, EXPORT)
        form = ExportForm(posted(request))
        if request.method == "POST" and form.is_valid():
            statuses = form.cleaned_data["status"]
            self._log(request, _("Exported subscribers: %(statuses)s") % {"statuses": ", ".join(statuses)})
            name = f"subscribers-{timezone.localdate():%Y-%m-%d}.csv"
            return StreamingHttpResponse(
                exporting.lines(statuses),
                content_type="text/csv; charset=utf-8",
                headers={"Content-Disposition": f'attachment; filename="{name}"'},
            )
        return self._page(request, "export", _("Export subscribers"), form=form)


# --- Common ----------------------------------------------------------------------------------------------------


def posted(request: HttpRequest) -> Any:
    """What a form is filled in with; also nothing at all, where it was sent so."""
    return request.POST if request.method == "POST" else None


def badge(status: str) -> str:
    """A status as a word in its colour."""
    return format_html('<span class="state state-{}">{}</span>', STYLES[Status(status)], Status(status).label)


def day(moment: datetime | None) -> str:
    """A day in the site's time zone, or a dash."""
    return date_format(timezone.localtime(moment), "j M Y") if moment else "–"  # noqa: RUF001


def language_name(code: str) -> str:
    return str(dict(settings.LANGUAGES).get(code, code))


def records(digests: set[str]) -> QuerySet[Consent]:
    """What a person agreed to and took back, the newest first."""
    return Consent.objects.filter(address_hmac__in=digests).select_related("by").order_by("-at", "-pk")
