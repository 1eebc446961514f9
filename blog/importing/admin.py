"""Old articles in the admin: bring them, look at what was understood, correct it, and make the drafts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language_info, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from blog.importing import bringing
from blog.importing.beside import PAGE, grouped_choices, page_of, rows_of, runs_of
from blog.importing.correcting import Correcting
from blog.importing.drafts import is_untouched, propose_condition, remake, was_deleted
from blog.importing.language import known_languages
from blog.importing.library import Library
from blog.importing.pictures import UNUSABLE
from blog.importing.pieces import Corrections
from blog.importing.readers import FORMATS
from blog.importing.report import report_text
from blog.importing.result import ArticleKind, Understood
from blog.importing.store import article_of
from blog.importing.structure import understand
from blog.models import ArticleEntry, ImportedSource, ImportRun
from publishing.admin.workflow import person
from publishing.services import Refused, Stale

PASTED_BYTES = 5 * 1024 * 1024
MAKE_AT_ONCE = 20  # drafts that are made while somebody waits; more are made in the background
AUTOMATIC = gettext_lazy("Find out")


def languages(of_source: str = "") -> list[tuple[str, str]]:
    """The languages that articles are brought in: the site's, those whose words are known, and that of a source."""
    codes = dict.fromkeys([*(code for code, _name in settings.LANGUAGES), *sorted(known_languages()), of_source])
    return [(code, _language_name(code)) for code in codes if code]


def _language_name(code: str) -> str:
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


# --- Bringing --------------------------------------------------------------------------------------------------


class Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several."""

    widget = Files

    def clean(self, data: Any, initial: Any = None) -> list[File[bytes]]:
        return [super(FilesField, self).clean(file, initial) for file in data or []]


class BringForm(forms.Form):
    """Files, or a text. `html` is what a browser has put on the clipboard beside the plain text."""

    text = forms.CharField(
        label=gettext_lazy("Paste an article"),
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 14, "spellcheck": "false"}),
        help_text=gettext_lazy("Its text, or its HTML. From a web page or from Word the headings come along."),
    )
    html = forms.CharField(required=False, strip=False, widget=forms.Textarea({"hidden": True, "aria-hidden": "true"}))
    chosen = FilesField(
        label=gettext_lazy("Choose files"),
        required=False,
        error_messages={"empty": gettext_lazy("A file is empty.")},
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    make = forms.BooleanField(label=gettext_lazy("Make the drafts right away, and look afterwards"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", AUTOMATIC), *languages()]  # type: ignore[attr-defined]
        files = self.fields["chosen"]
        files.widget.attrs["accept"] = ",".join([*FORMATS, *sorted(bringing.PICTURES)])
        files.help_text = _("Up to %(files)d files, together up to %(size)s. More with the command %(command)s.") % {
            "files": bringing.MOST_FILES,
            "size": filesizeformat(bringing.MOST_BYTES),
            "command": "import_articles",
        }

    def clean_text(self) -> str:
        return self._short_enough(self.cleaned_data["text"])

    def clean_html(self) -> str:
        return self._short_enough(self.cleaned_data["html"])

    def _short_enough(self, text: str) -> str:
        if len(text.encode(errors="replace")) > PASTED_BYTES:
            raise forms.ValidationError(
                _("This is longer than %s. Save it as a file, and choose the file.") % filesizeformat(PASTED_BYTES)
            )
        return text

    def clean_chosen(self) -> list[File[bytes]]:
        files: list[File[bytes]] = self.cleaned_data["chosen"]
        if len(files) > bringing.MOST_FILES:
            raise forms.ValidationError(_("These are more than %d files. Put them into a zip.") % bringing.MOST_FILES)
        if sum(file.size for file in files) > bringing.MOST_BYTES:
            raise forms.ValidationError(
                _("Together they are larger than %(size)s. Bring them in parts, or with the command %(command)s.")
                % {"size": filesizeformat(bringing.MOST_BYTES), "command": "import_articles"}
            )
        return files

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not self.brought():
            raise forms.ValidationError(_("Paste an article, or choose a file."))
        return cleaned

    def brought(self) -> list[File[bytes]]:
        """Everything that was given, as files."""
        found = list(self.cleaned_data.get("chosen", []))
        text, html = self.cleaned_data.get("text", ""), self.cleaned_data.get("html", "")
        if text.strip():
            name = Truncator(" ".join(text.split())).chars(60)
            # A text says itself what it is; only what a browser put on the clipboard is known to be HTML.
            data, ending = (html, ".html") if html.strip() else (text, "")
            # Beside the name of the file stands what it is, so that a slash in a text is no folder.
            found.append(ContentFile(data.encode(errors="replace"), _("Pasted: %s") % name.replace("/", " ") + ending))
        return found


# --- The list --------------------------------------------------------------------------------------------------


STATES = {
    "waiting": (gettext_lazy("waits for you"), "in-review"),
    "made": (gettext_lazy("draft made"), "live"),
    "edited": (gettext_lazy("draft edited since"), "newer-draft"),
    "newer": (gettext_lazy("source changed since"), "in-review"),
    "deleted": (gettext_lazy("draft deleted"), "left"),
}
STATE = Case(
    When(newer_since__isnull=False, article__isnull=False, then=Value("newer")),
    When(article__isnull=True, article_version__isnull=False, then=Value("deleted")),
    When(article__isnull=True, then=Value("waiting")),
    When(article__version=F("article_version"), then=Value("made")),
    default=Value("edited"),
    output_field=CharField(),
)


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, (label, _style) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() in STATES else queryset


class KindFilter(admin.SimpleListFilter):
    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(ArticleKind.CONDITIONS, _("Numbered conditions")), (ArticleKind.PLAIN, _("Plain article"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() in set(ArticleKind) else queryset


class UnsureFilter(admin.SimpleListFilter):
    title = gettext_lazy("things to check")
    parameter_name = "unsure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Something is unsure")), ("no", _("Nothing is unsure"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.filter(unsure__gt=0)
            case "no":
                return queryset.filter(unsure=0)
        return queryset


@admin.register(ImportedSource)
class ImportedSourceAdmin(admin.ModelAdmin):
    """Everything that was brought, what was found in it, and the page where that is corrected."""

    change_list_template = "admin/blog/importedsource/change_list.html"
    list_display = ["found", "shown_kind", "conditions", "unsure", "shown_state", "format", "imported"]
    list_display_links = ["found"]
    list_filter = [StateFilter, KindFilter, UnsureFilter, "format", "language"]
    list_select_related = ["article"]
    search_fields = ["title", "name"]
    actions = ["make_drafts"]
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(state=STATE)
        return rows.defer("blocks", "meta", "corrections", "pictures", "report")

    @admin.display(description=gettext_lazy("title found"), ordering="title")
    def found(self, source: ImportedSource) -> str:
        title = source.title or _("No title")
        return title if title == source.name else format_html("{}<small>{}</small>", title, source.name)

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def shown_kind(self, source: ImportedSource) -> str:
        return _("Numbered conditions") if source.kind == ArticleKind.CONDITIONS else _("Plain article")

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, source: Any) -> SafeString:
        label, style = STATES[source.state]
        return format_html('<span class="state state-{}">{}</span>', style, label)

    @admin.display(description=gettext_lazy("imported"), ordering="imported_at")
    def imported(self, source: ImportedSource) -> str:
        return date_format(timezone.localtime(source.imported_at), "j M Y")

    @admin.action(description=gettext_lazy("Make drafts"), permissions=["make"])
    def make_drafts(self, request: HttpRequest, queryset: QuerySet[ImportedSource]) -> None:
        by = person(request)
        ids = list(queryset.values_list("pk", flat=True))
        if len(ids) > MAKE_AT_ONCE:
            bringing.make_drafts_later.enqueue(ids, by.pk)
            text = _("The drafts of %d imports are made in the background. Reload this page to see how far it is.")
            messages.info(request, text % len(ids))
            return
        made, refusals = bringing.make_drafts(ImportedSource.objects.filter(pk__in=ids), by=by)
        if made:
            messages.success(request, ngettext("%d draft was made.", "%d drafts were made.", made) % made)
        for refusal in refusals:
            messages.warning(request, refusal)

    # --- Rights and addresses ---

    def has_make_permission(self, request: HttpRequest) -> bool:
        """Whether this person may make drafts of what was brought."""
        return request.user.has_perms(["blog.change_importedsource", "blog.add_article"])

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.run_view)
        return [path("runs/<uuid:pk>/", view, name="blog_importedsource_run"), *super().get_urls()]

    def _page(self, request: HttpRequest, name: str, title: str, **context: Any) -> TemplateResponse:
        context |= self.admin_site.each_context(request) | {"title": title, "opts": self.opts}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/blog/importedsource/{name}.html", context)

    # --- Bringing ---

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Paste or choose files. One article leads to its own page, many to an account of them."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = BringForm(request.POST if posted else None, request.FILES if posted else None)
        if posted and form.is_valid():
            run = bringing.bring(
                form.brought(),
                language=form.cleaned_data["language"],
                make=form.cleaned_data["make"] and self.has_make_permission(request),
                by=person(request),
            )
            if not run.finished_at:
                return HttpResponseRedirect(reverse("admin:blog_importedsource_run", args=[run.pk]))
            sources = list(run.sources.all()[:2])
            problems = [problem for problem in run.problems if sources or not problem["is_note"]] or run.problems
            if sources:
                return self._brought(request, run, sources, problems)
            for problem in problems:
                form.add_error(None, f"{problem['name']}: {problem['message']}")
            if not problems:
                form.add_error(None, _("There is no article in it."))
            run.delete()
        return self._page(request, "bring", _("Bring old articles"), form=form)

    def _brought(self, request: HttpRequest, run: ImportRun, sources: list[Any], problems: list[Any]) -> HttpResponse:
        if len(sources) > 1 or any(not problem["is_note"] for problem in problems):
            return HttpResponseRedirect(reverse("admin:blog_importedsource_run", args=[run.pk]))
        for problem in problems:
            messages.info(request, f"{problem['name']}: {problem['message']}")
        if not run.counts.get("new") and run.counts.get("unchanged"):
            messages.info(request, _("This was brought before. Nothing in it has changed."))
        return HttpResponseRedirect(reverse("admin:blog_importedsource_change", args=[sources[0].pk]))

    def run_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """How far the reading is, and what became of each article. A POST lets an interrupted one go on."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(ImportRun, pk=pk)
        if request.method == "POST":
            if not self.has_add_permission(request):
                raise PermissionDenied
            if bringing.is_interrupted(run):
                bringing.ask_to_go_on(run)
            return HttpResponseRedirect(request.path)
        return self._page(
            request,
            "run",
            _("What was brought"),
            run=run,
            counts=[(label, run.counts[name]) for name, label in COUNTED.items() if run.counts.get(name)],
            articles=sum(count for name, count in run.counts.items() if name not in ("problem", "note")),
            problems=[problem for problem in run.problems if not problem["is_note"]],
            notes=[problem for problem in run.problems if problem["is_note"]],
            sources=run.sources.annotate(state=STATE).defer("blocks", "meta", "report")[:PAGE],
            interrupted=bringing.is_interrupted(run),
            may_go_on=self.has_add_permission(request),
        )

    # --- Correcting ---

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The source beside what was understood of it. A POST corrects that, or makes the draft."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        source = self.get_object(request, object_id)
        if source is None:
            raise Http404
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            return self._correct(request, source.pk)
        return self._correction_page(request, source)

    def _correction_page(self, request: HttpRequest, source: Any) -> HttpResponse:
        understood = understand(article_of(source), corrections=source.corrections, language=source.language)
        correct = Correcting(understood, source.corrections)
        pages = max(1, page_of(len(correct.rows)))
        page = min(max(1, _number(request.GET.get("page", ""))), pages)
        rows = rows_of(correct, (page - 1) * PAGE, page * PAGE)
        unsure = [
            (number, page_of(number), piece.key, Truncator(correct.text(piece)).chars(60))
            for number, piece in enumerate((correct.pieces[place] for place in correct.rows), start=1)
            if correct.is_unsure(piece)
        ]
        untouched, report = is_untouched(source), report_text(understood)
        return self._page(
            request,
            "correct",
            understood.structure.title or source.name,
            source=source,
            understood=understood,
            found=report.partition("\n")[0],
            report=report,
            pictures=[
                (placed.picture, source.pictures.get(placed.picture.source, UNUSABLE) not in ("", UNUSABLE))
                for placed in understood.structure.pictures
            ],
            runs=list(runs_of(rows)),
            pages=range(1, pages + 1) if pages > 1 else (),
            page=page,
            unsure=unsure,
            count=len(correct.rows),
            languages=languages(understood.language),
            choices=grouped_choices(),
            state=STATES[source.state],
            untouched=untouched,
            deleted=was_deleted(source),
            library=_library(understood),
            entries=self._proposable(request, source),
            may_change=self.has_change_permission(request),
            may_make=self.has_make_permission(request) and (source.article is None or untouched),
        )

    def _proposable(self, request: HttpRequest, source: Any) -> list[ArticleEntry]:
        """The entries of the draft that the library does not know, for who may add to it."""
        allowed = request.user.has_perms(["conditions.add_condition", "blog.change_article"])
        if not allowed or source.article is None:
            return []
        return list(source.article.entries.filter(condition=None).exclude(heading=""))

    def _correct(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take what the form says, in one go: the selects that were changed, then the button that was pressed."""
        command, _colon, rest = request.POST.get("do", "update").partition(":")
        if command == "propose":
            return self._propose(request, pk, rest)
        key = rest.partition(":")[0]
        back = _back(request, key)
        try:
            with transaction.atomic():
                source = ImportedSource.objects.select_for_update().get(pk=pk)
                if request.POST.get("digest") != source.digest:
                    raise Refused(_("The source was brought anew since you opened this page. Look at it again."))
                if command == "make" and not self.has_make_permission(request):
                    raise PermissionDenied
                language = request.POST.get("language", "")
                language = language if language in dict(languages()) else source.language
                corrections: Corrections = (
                    {} if command == "forget" else self._corrected(request, source, command, rest, language)
                )
                changed = corrections != source.corrections or language != source.language
                if command != "make" and not changed:
                    return HttpResponseRedirect(back)
                outcome = remake(
                    source=source,
                    corrections=corrections,
                    by=person(request),
                    language=language,
                    make=command == "make",
                )
        except (Refused, Stale) as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(back)
        article = outcome.source.article
        if command != "make" or article is None:
            return HttpResponseRedirect(back)
        messages.success(request, _("This is the draft. What was left out stands under “Imported from”."))
        return HttpResponseRedirect(reverse("admin:blog_article_change", args=[article.pk]))

    def _corrected(self, request: HttpRequest, source: Any, command: str, rest: str, language: str) -> Corrections:
        """The corrections after what the form says. Raises Refused, with a sentence."""
        if command == "forget":
            return {}

        def look(corrections: Corrections) -> Correcting:
            found = understand(article_of(source), corrections=corrections, language=language)
            return Correcting(found, corrections)

        try:
            correct = look(source.corrections)
            posted = request.POST
            for name in posted:
                key = name.removeprefix("role-")
                if key != name and posted[name] != posted.get(f"was-{key}") and key in correct.places:
                    correct.take(key, posted[name])
            if command in COMMANDS:
                if correct.corrections != source.corrections:
                    correct = look(correct.corrections)  # what a button does may depend on what was just chosen
                COMMANDS[command](correct, rest, posted)
        except (KeyError, ValueError) as error:
            raise Refused(_("This piece is not there any more. Look at the page again.")) from error
        return correct.corrections

    def _propose(self, request: HttpRequest, pk: int, entry_id: str) -> HttpResponse:
        source = get_object_or_404(ImportedSource, pk=pk)
        entries = {str(entry.pk): entry for entry in self._proposable(request, source)}
        if not request.user.has_perm("conditions.add_condition"):
            raise PermissionDenied
        if entry_id in entries:
            try:
                condition = propose_condition(entry=entries[entry_id], by=person(request))
            except (Refused, Stale) as refusal:
                messages.error(request, str(refusal))
            else:
                url = reverse("admin:conditions_condition_change", args=[condition.pk])
                text = _("“{name}” is a draft of the library now.")
                messages.success(request, format_html('{} <a href="{}">{}</a>', text.format(name=condition), url,
                                                      _("Open it")))  # fmt: skip
        return HttpResponseRedirect(f"{request.path}#outline")


COUNTED = {
    "new": gettext_lazy("new drafts"),
    "updated": gettext_lazy("drafts made again, because their source had changed"),
    "waiting": gettext_lazy("wait for you to look"),
    "unchanged": gettext_lazy("were brought before, and nothing has changed"),
    "edited": gettext_lazy("changed, but an editor has worked on the draft: left alone"),
    "deleted": gettext_lazy("had a draft that an editor has deleted: not made again"),
    "problem": gettext_lazy("could not be read, or only in part"),
}


def _take(correct: Correcting, rest: str, posted: Any) -> None:
    key, _colon, choice = rest.partition(":")
    correct.take(key, choice)


def _take_alike(correct: Correcting, rest: str, posted: Any) -> None:
    key, _colon, choice = rest.partition(":")
    correct.take_alike(key, choice)


def _split(correct: Correcting, rest: str, posted: Any) -> None:
    """At the character that the button names, else the one that the piece's select does."""
    key, _colon, offset = rest.partition(":")
    correct.split(key, int(offset or posted.get(f"split-{key}", "")))


def _run(correct: Correcting, rest: str, posted: Any) -> None:
    correct.take_run(_number(posted.get("first", "")), _number(posted.get("last", "")), posted.get("choice", ""))


# What a button of a piece does: its value is "command:piece", and what else it takes.
COMMANDS = {
    "take": _take,
    "alike": _take_alike,
    "split": _split,
    "join": lambda correct, rest, posted: correct.join(rest),
    "found": lambda correct, rest, posted: correct.as_found(rest),
    "run": _run,
}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def _back(request: HttpRequest, key: str) -> str:
    """The same page of the rows, at the piece."""
    page = _number(request.POST.get("page", ""))
    query = f"?page={page}" if page > 1 else ""
    return f"{request.path}{query}" + (f"#piece-{key}" if key else "")


def _library(understood: Understood) -> list[tuple[Any, bool]]:
    """Each condition that was found, and whether the library knows it."""
    library = Library(understood.language)
    return [(entry, library.find(entry.heading) is not None) for entry in understood.structure.entries]
