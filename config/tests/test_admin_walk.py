"""Every address and every action of the admin, as each role, as staff without a role and as nobody.

The addresses are those of the URL resolver, so that one without a row here fails by its name. Who may open a page
and who may act on it is written once more in this file, apart from operations/roles.py, so that neither can change
alone. What is posted is what the page itself would send: it really acts for those who may, and writes nothing, not
a single row, for all others.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from taggit.models import Tag

from blog.importing.blocks import SourceArticle
from blog.importing.drafts import bring_in
from blog.importing.readers import read_bytes
from blog.models import Announcement, ImportedSource, ImportRun
from blog.search.models import SearchMiss
from config.tests.factories import (
    MAKERS,
    fresh,
    make_citation,
    make_contributor,
    make_picture,
    make_reviewer,
    make_user,
    picture_bytes,
    publish_draft,
    reword,
    schedule_draft,
    sign,
    snapshot_of,
)
from newsletter import addresses, clock
from newsletter.models import Alarm, Delivery, Issue, IssueItem, Subscriber, SubscriberFile, Suppression
from publishing.models import Publication, Report, SiteSettings
from publishing.services import withdraw

# Who may do what is the same on every database; what the pages do there, the tests of each app say.
pytestmark = pytest.mark.once

# --- Who -------------------------------------------------------------------------------------------------------

NOBODY, READER = "nobody", "a Publisher's account that is not staff"
COLLEAGUE, ADMINISTRATOR = "staff without a role", "superuser"
WRITER, EDITOR, REVIEWER, PUBLISHER = "Writer", "Editor", "Medical reviewer", "Publisher"

PEOPLE = (NOBODY, READER, COLLEAGUE, WRITER, EDITOR, REVIEWER, PUBLISHER, ADMINISTRATOR)
OUTSIDERS = {NOBODY, READER}

NONE: frozenset[str] = frozenset()
ADMINISTRATORS = frozenset({ADMINISTRATOR})
PUBLISHERS = frozenset({PUBLISHER, ADMINISTRATOR})
EDITORS = PUBLISHERS | {EDITOR}
WRITERS = EDITORS | {WRITER}
ROLES = WRITERS | {REVIEWER}
STAFF = ROLES | {COLLEAGUE}

PASSWORD = "three quiet herons"
MISSING = "nothing-here"


# --- What they walk through ------------------------------------------------------------------------------------


class World:
    """One of everything that the admin's pages are about, and an account of each kind."""

    def __init__(self) -> None:
        self.users = {person: make_account(person) for person in PEOPLE if person != NOBODY}
        self.sessions = {person: log_in(user) for person, user in self.users.items()}
        self.forms: dict[str, dict[str, Any]] = {}
        SiteSettings.load().save()
        self.reviewer = make_reviewer(user=self.users[REVIEWER])
        self.drafts = {kind: Texts(kind, self.reviewer) for kind in MAKERS}
        user = User.objects.create_user("spare", password=PASSWORD)
        contributor = make_contributor("Spare Person")
        self.subscriber = Subscriber.objects.create(
            address="walked@readers.example", status=Subscriber.Status.CONFIRMED, confirmed_at=clock.now()
        )
        self.bounced = Subscriber.objects.create(
            address="bounced@readers.example", status=Subscriber.Status.BOUNCED, left_at=clock.now()
        )
        self.erased = Suppression.objects.create(
            address_hmac=addresses.digest("erased@readers.example"), reason=Suppression.Reason.BOUNCED
        )
        self.files = {
            person: SubscriberFile.objects.create(
                text=f"address,confirmed_at\n{number}@readers.example,2024-05-01\n", consent="Walked.", by=user
            )
            for number, (person, user) in enumerate(self.users.items())
        }
        self.issues: dict[str, Issue] = {state: make_issue(f"Walked {state}", state) for state in Issue.State.values}
        self.alarm = Alarm.objects.create(key="walked", sentence="Look at this.")
        self.deliveries = make_deliveries(self.issues[Issue.State.SENDING])
        self.run = ImportRun.objects.create(files=["old.zip"], seen_at=clock.now() - timedelta(days=1))
        self.tags = [Tag.objects.create(name=name) for name in ("spare one", "spare two")]
        now = timezone.now()
        # What can be deleted: nothing else needs it.
        self.rows: dict[str, Model] = {
            "auth_group": Group.objects.create(name="Interns"),
            "auth_user": user,
            "blog_announcement": Announcement.objects.create(text="Spare line"),
            "blog_importedsource": make_import(),
            "blog_searchmiss": SearchMiss.objects.create(term="walked", day=timezone.localdate(), count=3),
            "django_tasks_database_dbtaskresult": DBTaskResult.objects.create(
                task_path="spare.task", args_kwargs={"args": [], "kwargs": {}}, backend_name="default", run_after=now
            ),
            "images_picture": make_picture("purple"),
            "newsletter_issue": make_issue("Spare issue"),
            "newsletter_subscriber": self.subscriber,
            "publishing_citation": make_citation("spare"),
            "publishing_contributor": contributor,
            "publishing_report": Report.objects.create(path="/", subject=Report.Subject.WRONG, text="Walked."),
            "publishing_sitesettings": SiteSettings.objects.get(),
            "taggit_tag": self.tags[0],
        } | {NAMES[kind]: texts.spare for kind, texts in self.drafts.items()}

    def form(self, url: str) -> dict[str, Any]:
        """What a browser would send of the form at an address, had the administrator opened it."""
        if url not in self.forms:
            response = as_person(self, ADMINISTRATOR).get(url)
            assert response.status_code == 200, f"{url} answers {response.status_code}"
            self.forms[url] = FormReader.read(response.content.decode())
        return self.forms[url]


class Texts:
    """A text with a live edition, a review, a newer draft that waits for one and a plan; one withdrawn; one unused."""

    def __init__(self, kind: str, reviewer: Any) -> None:
        make = MAKERS[kind]
        self.main = make(f"Walked {kind}")
        self.edition = publish_draft(self.main)
        self.sign_off = sign(self.main, reviewer)
        self.main = reword(self.main)
        self.snapshot = snapshot_of(self.main)
        self.plan = schedule_draft(self.main)
        self.main = fresh(self.main)
        self.gone = make(f"Withdrawn {kind}")
        publish_draft(self.gone)
        withdraw(publication=self.gone.publication, by=make_user(), reason="It was wrong.")
        self.gone = fresh(self.gone)
        self.spare = make(f"Spare {kind}")


def make_import() -> ImportedSource:
    """A text that was brought and waits for an editor."""
    (article,) = read_bytes(b"An old text\n\nIt is walked.", "old.txt")
    assert isinstance(article, SourceArticle)
    return bring_in(article, make=False).source


def make_issue(subject: str, state: str = Issue.State.DRAFT) -> Issue:
    """An issue about the walked article, in a state."""
    now = clock.now()
    is_draft = state == Issue.State.DRAFT
    issue = Issue.objects.create(
        key=f"by-hand:{subject}",
        subject=subject,
        state=state,
        starts_at=None if is_draft else now + timedelta(days=1),
        prepared_at=now if state in {Issue.State.SENDING, Issue.State.FINISHED} else None,
    )
    publication = Publication.objects.filter(title__startswith="Walked", kind="article", live__isnull=False).first()
    assert publication
    IssueItem.objects.create(issue=issue, publication=publication)
    return issue


def make_deliveries(issue: Issue) -> dict[str, Delivery]:
    """A delivery of the issue in each state."""
    return {
        state: Delivery.objects.create(issue=issue, state=state, address="walked@readers.example", due_at=clock.now())
        for state in Delivery.State
    }


def make_account(person: str) -> User:
    user = User.objects.create_user(
        person.replace(" ", "-").replace("'", "").lower(),
        password=PASSWORD,
        is_staff=person != READER,
        is_superuser=person == ADMINISTRATOR,
    )
    group = PUBLISHER if person == READER else person
    user.groups.set(Group.objects.filter(name=group))
    return user


def log_in(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def as_person(world: World, person: str) -> Client:
    """A client of its own for each request: one that ends the session spoils it for nobody."""
    client = Client()
    if person != NOBODY:
        client.cookies["sessionid"] = world.sessions[person]
    return client


class FormReader(HTMLParser):
    """The fields of the forms of a page that are posted, with what they hold."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, list[str]] = {}
        self.inside = False
        self.select = self.textarea = ""

    @classmethod
    def read(cls, html: str) -> dict[str, Any]:
        """The fields in the main part of the page; the menu's log-out is left alone."""
        reader = cls()
        reader.feed(html)
        return reader.data | {"_save": "Save"}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name = found.get("name", "")
        if tag == "form":
            self.inside = found.get("method") == "post" and "logout" not in found.get("id", "")
        elif not self.inside or "disabled" in found:
            return
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in found:
            self.add(self.select, found.get("value", ""))
        elif tag == "textarea" and name:
            self.textarea = name
            self.add(name, "")
        elif tag == "input" and name:
            kind = found.get("type", "text")
            if kind in {"submit", "file"} or (kind in {"checkbox", "radio"} and "checked" not in found):
                return
            self.add(name, found.get("value", "on" if kind in {"checkbox", "radio"} else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.textarea = ""

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.data[self.textarea][-1] += data

    def add(self, name: str, value: str) -> None:
        self.data.setdefault(name, []).append(value)


# --- The table -------------------------------------------------------------------------------------------------

Data = Callable[[World, str], dict[str, Any]]


def nothing(world: World, url: str) -> dict[str, Any]:
    return {}


def as_it_stands(world: World, url: str) -> dict[str, Any]:
    return world.form(url)


def sent(**data: Any) -> Data:
    """The same for everybody; what can be called is asked with the world, anew for each request."""
    return lambda world, url: {name: value(world) if callable(value) else value for name, value in data.items()}


def filled(**data: Any) -> Data:
    """The page's own form with some fields filled in."""
    return lambda world, url: world.form(url) | sent(**data)(world, url)


@dataclass(frozen=True)
class Row:
    """An address: who may open it, who may act on it, and what acting sends.

    Where nobody may act, a POST has to write nothing even for the superuser, who may do everything.
    """

    name: str
    opens: frozenset[str]
    acts: frozenset[str] = NONE
    args: Callable[[World], list[Any]] = lambda world: []
    query: str = ""
    data: Data = nothing
    opened: int = 200
    closed: int = 403  # the answer to staff who may not open it
    refused: set[int] = field(default_factory=lambda: {403})  # the answer to staff who may not act
    route: str = ""  # for an address without a name

    def url(self, world: World) -> str:
        path = (
            reverse("admin:index") + self.route if self.route else reverse(f"admin:{self.name}", args=self.args(world))
        )
        return path + self.query


NAMES = {"article": "blog_article", "page": "blog_page", "condition": "conditions_condition"}

# Who may view, add, change and delete.
MODELS: dict[str, tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]] = {
    "blog_article": (ROLES, WRITERS, WRITERS, WRITERS),
    "conditions_condition": (ROLES, WRITERS, WRITERS, WRITERS),
    "blog_page": (ROLES, EDITORS, EDITORS, EDITORS),
    "blog_announcement": (ROLES, PUBLISHERS, PUBLISHERS, PUBLISHERS),
    "blog_importedsource": (ROLES, WRITERS, WRITERS, EDITORS),
    "blog_searchmiss": (EDITORS, NONE, NONE, NONE),  # readers make them, without knowing
    "images_picture": (ROLES, WRITERS, WRITERS, EDITORS),
    "newsletter_issue": (EDITORS, EDITORS, EDITORS, EDITORS),
    "newsletter_subscriber": (PUBLISHERS, NONE, NONE, NONE),  # nobody types what somebody else agreed to
    "publishing_citation": (ROLES, WRITERS, WRITERS, EDITORS),
    "publishing_contributor": (ROLES, EDITORS, EDITORS, ADMINISTRATORS),
    "publishing_report": (ROLES, NONE, EDITORS, EDITORS),  # readers write them, on the site
    "publishing_sitesettings": (ROLES, NONE, PUBLISHERS, NONE),  # there is one, and it stays
    "taggit_tag": (ROLES, EDITORS, EDITORS, ADMINISTRATORS),
    "auth_group": (ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS),
    "auth_user": (ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS),
    "django_tasks_database_dbtaskresult": (ADMINISTRATORS, NONE, NONE, NONE),
}

NEW_PASSWORD = {"password1": f"{PASSWORD} more", "password2": f"{PASSWORD} more", "usable_password": "true"}
NEW: dict[str, Data] = {
    "blog_article": filled(title="New article"),
    "conditions_condition": filled(name="New condition"),
    "blog_page": filled(title="New page"),
    "blog_announcement": filled(text="New line"),
    "blog_importedsource": sent(text="Walked home\n\nThis is a plain text about walking home."),
    "images_picture": filled(
        alt="New picture", file=lambda world: SimpleUploadedFile("new.png", picture_bytes("olive"), "image/png")
    ),
    "newsletter_issue": filled(subject="New issue"),
    "publishing_citation": filled(key="new-key", kind="guideline", title="New source", url="https://new.example/"),
    "publishing_contributor": filled(name="New Person", slug="new-person", job_title="Writer"),
    "taggit_tag": filled(name="new tag"),
    "auth_group": filled(name="New group"),
    "auth_user": filled(username="new-user", **NEW_PASSWORD),
}

# What is sent instead of the form as it stands, where that changes nothing.
CHANGED: dict[str, Data] = {"blog_importedsource": filled(do="make")}

# The page's own part of the address, who may open it, who may act.
WORKFLOW: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "preview": (ROLES, NONE),
    "snapshot": (ROLES, NONE),
    "record": (ROLES, NONE),
    "compare": (ROLES, NONE),
    "tags": (ROLES, NONE),
    "send_for_review": (WRITERS, WRITERS),
    "share": (WRITERS, WRITERS),
    "review": (ROLES, frozenset({REVIEWER})),  # whoever signs is a clinician, not an administrator
    "revoke": (frozenset({REVIEWER, ADMINISTRATOR}), frozenset({REVIEWER, ADMINISTRATOR})),
    "publish": (PUBLISHERS, PUBLISHERS),
    "cancel_plan": (PUBLISHERS, PUBLISHERS),
    "withdraw": (PUBLISHERS, PUBLISHERS),
    "restore": (PUBLISHERS, PUBLISHERS),
    "redact": (PUBLISHERS, PUBLISHERS),
}

# The models' lists, by the action that is chosen there.
ACTIONS: dict[tuple[str, str], frozenset[str]] = {
    ("blog_announcement", "delete_selected"): PUBLISHERS,
    ("blog_importedsource", "delete_selected"): EDITORS,
    ("blog_importedsource", "make_drafts"): WRITERS,
    ("images_picture", "delete_selected"): EDITORS,
    ("publishing_citation", "delete_selected"): EDITORS,
    ("publishing_contributor", "delete_selected"): ADMINISTRATORS,
    ("publishing_report", "delete_selected"): EDITORS,
    ("taggit_tag", "delete_selected"): ADMINISTRATORS,
    ("taggit_tag", "merge"): EDITORS,
    ("auth_group", "delete_selected"): ADMINISTRATORS,
    ("auth_user", "delete_selected"): ADMINISTRATORS,
}

APPS = {
    "blog": ROLES,
    "conditions": ROLES,
    "images": ROLES,
    "newsletter": EDITORS,
    "publishing": ROLES,
    "taggit": ROLES,
    "auth": ADMINISTRATORS,
    "django_tasks_database": ADMINISTRATORS,
}

# For everybody, whoever they are: they have tests of their own below.
DOORS = {"login", "logout"}


def rows() -> Iterator[Row]:
    yield Row("index", STAFF)
    yield Row("jsi18n", STAFF)
    yield Row("password_change", STAFF, STAFF, data=sent(old_password=PASSWORD, new_password1=NEW_PASSWORD["password1"],
              new_password2=NEW_PASSWORD["password2"]))  # fmt: skip
    yield Row("password_change_done", STAFF)
    yield Row("view_on_site", STAFF, args=lambda world: live_address(world), opened=302)
    yield Row("(?P<url>.*)$", NONE, route=f"{MISSING}/", closed=404)
    for label, people in APPS.items():
        yield Row("app_list", people, args=lambda world, label=label: [label], closed=404)  # type: ignore[misc]
    for name in MODELS:
        yield from rows_of_model(name)
    for kind in NAMES:
        yield from rows_of_workflow(kind)
    yield from rows_of_issues()
    yield from rows_of_subscribers()
    yield from rows_of_choices()
    yield Row("auth_user_password_change", ADMINISTRATORS, ADMINISTRATORS, args=one("auth_user"),
              data=sent(**NEW_PASSWORD, **{"set-password": "Change password"}))  # fmt: skip
    yield Row("blog_article_originals", ROLES, query="?term=walked")
    yield Row("blog_importedsource_run", ROLES, WRITERS, args=lambda world: [world.run.pk])
    yield Row("conditions_condition_library", ROLES, args=lambda world: [world.drafts["condition"].main.pk])
    yield Row("publishing_citation_choices", ROLES, query="?term=spare")


def live_address(world: World) -> list[Any]:
    return [ContentType.objects.get_for_model(Publication).pk, world.drafts["article"].main.publication_id]


def one(name: str) -> Callable[[World], list[Any]]:
    return lambda world: [world.rows[name].pk]


def rows_of_model(name: str) -> Iterator[Row]:
    view, add, change, delete = MODELS[name]
    only_one = 302 if name == "publishing_sitesettings" else 200
    yield Row(f"{name}_changelist", view, opened=only_one)
    yield Row(f"{name}_add", add, add, data=NEW.get(name, nothing))
    yield Row(f"{name}_change", view, change, args=one(name), data=CHANGED.get(name, as_it_stands))
    yield Row(f"{name}_delete", delete, delete, args=one(name), data=sent(post="yes"))
    yield Row(f"{name}_history", view, args=one(name))
    label, model = name.rsplit("_", 1)
    # Django's old address of a form, which leads to the new one.
    yield Row(f"{label}/{model}/<path:object_id>/", STAFF, route=f"{label}/{model}/1/", opened=302)
    for (of_model, action), people in ACTIONS.items():
        if of_model == name:
            chosen = {
                "action": action,
                "post": "yes",
                "_selected_action": lambda world, name=name: chosen_of(world, name),
            }
            # Django offers the action to those who may only; to anybody else it says that none was chosen.
            yield Row(f"{name}_changelist", view, people, data=sent(**chosen), opened=only_one, refused={200, 302})


def chosen_of(world: World, name: str) -> list[Any]:
    return [tag.pk for tag in world.tags] if name == "taggit_tag" else [world.rows[name].pk]


def rows_of_workflow(kind: str) -> Iterator[Row]:
    name = NAMES[kind]

    def texts(world: World) -> Texts:
        return world.drafts[kind]

    def newest(world: World) -> str:
        fingerprint: str = texts(world).main.build().fingerprint()
        return fingerprint

    def soon(world: World) -> str:
        return (timezone.localtime() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")

    def next_year(world: World) -> str:
        return str(timezone.localdate() + timedelta(days=300))

    args: dict[str, Callable[[Texts], list[Any]]] = {
        "tags": lambda of: [],
        "snapshot": lambda of: [of.main.pk, of.snapshot.pk],
        "review": lambda of: [of.main.pk, of.snapshot.pk],
        "cancel_plan": lambda of: [of.main.pk, of.plan.pk],
        "revoke": lambda of: [of.main.pk, of.sign_off.pk],
        "bring_back": lambda of: [of.main.pk, of.edition.fingerprint],
        "redact": lambda of: [of.main.pk, of.edition.fingerprint],
        "restore": lambda of: [of.gone.pk],
    }
    reason = sent(reason="Because it has to be.")
    publishing: dict[str, Any] = {"fingerprint": newest, "level": "major", "note": "What changed."}
    data: dict[str, Data] = {
        "publish": sent(**publishing),
        "send_for_review": sent(note="Is the second part right?"),
        "review": sent(fingerprint=lambda world: texts(world).snapshot.fingerprint, valid_until=next_year, agree="on"),
        "revoke": reason,
        "withdraw": reason,
        "redact": reason,
    }

    def row(view: str, opens: frozenset[str], acts: frozenset[str], **more: Any) -> Row:
        place: Callable[[Texts], list[Any]] = args.get(view, lambda of: [of.main.pk])
        options = {"data": data.get(view, nothing)} | more
        return Row(f"{name}_{view}", opens, acts, args=lambda world: place(texts(world)), **options)

    for view, (opens, acts) in WORKFLOW.items():
        yield row(view, opens, acts)
    yield row("publish", PUBLISHERS, PUBLISHERS, query="?later=1", data=sent(**publishing, _later="1", due_at=soon))
    change = MODELS[name][2]
    yield row("bring_back", change, change)


def rows_of_issues() -> Iterator[Row]:
    """What can be done with an issue of the newsletter, each at one in the state that allows it."""
    state = Issue.State

    def row(view: str, opens: frozenset[str], acts: frozenset[str] = NONE, at: str = "", **more: Any) -> Row:
        return Row(f"newsletter_issue_{view}", opens, acts, args=lambda world: [world.issues[at].pk], **more)

    def button(view: str, at: str) -> Row:  # there is nothing to open
        return row(view, STAFF, PUBLISHERS, at, opened=405)

    yield Row("newsletter_issue_articles", EDITORS, query="?term=walked")
    yield Row("newsletter_issue_dismiss", STAFF, PUBLISHERS, opened=405,
              data=lambda world, url: {"key": "walked", "at": world.alarm.at.isoformat()})  # fmt: skip
    yield row("preview", EDITORS, at=state.DRAFT)
    yield row("preview_html", EDITORS, at=state.DRAFT, query="?scheme=dark")
    yield row("test", EDITORS, EDITORS, state.DRAFT, data=sent(address="me@news.example"))
    yield row("send", PUBLISHERS, PUBLISHERS, state.DRAFT, data=sent(version=1, count="1"))
    yield row("progress", EDITORS, at=state.SENDING)
    yield row("figures", EDITORS, at=state.SENDING)
    yield button("take_back", state.WAITING)
    yield button("pause", state.SENDING)
    yield button("resume", state.PAUSED)
    yield row("cancel", PUBLISHERS, PUBLISHERS, state.SENDING, data=sent(reason="It was wrong."))
    for name, decision in (("unknown", "sent"), ("unknown", "again"), ("failed", "again"), ("poisoned", "again")):
        for which in ("all", lambda world, name=name: world.deliveries[name].pk):
            yield Row("newsletter_issue_deliveries", EDITORS, PUBLISHERS, data=sent(decision=decision, delivery=which),
                      args=lambda world, name=name: [world.issues[state.SENDING].pk, name])  # type: ignore[misc]  # fmt: skip


def rows_of_subscribers() -> Iterator[Row]:
    """What a Publisher does for people who asked by mail or by phone, and with all of them."""

    def row(view: str, people: list[Any] | Callable[[World], list[Any]], **data: Any) -> Row:
        args = people if callable(people) else lambda world: people
        return Row(f"newsletter_subscriber_{view}", PUBLISHERS, PUBLISHERS, args=args, data=sent(**data))

    def csv(world: World) -> Any:
        return SimpleUploadedFile("people.csv", b"address,confirmed_at\nwalked-in@readers.example,2024-05-01\n")

    yield Row("newsletter_subscriber_find", PUBLISHERS, opened=405, data=sent(q="walked@readers.example"))
    yield row("unsubscribe", lambda world: [world.subscriber.pk], reason="By phone.")
    yield row("lift", lambda world: [world.bounced.pk], reason="It works again.")
    yield row("erase", lambda world: [world.subscriber.pk], address="walked@readers.example", reason="By mail.")
    yield row("data", lambda world: [world.subscriber.pk])
    yield row("erased", lambda world: [world.erased.pk], address="erased@readers.example", reason="It works again.")
    yield row("import", [], file=csv, consent="The form of our old site.")
    # The file of a dry run is for whoever chose it.
    for person in (PUBLISHER, ADMINISTRATOR):
        mine = frozenset({person})
        yield Row("newsletter_subscriber_import_file", mine, mine, closed=403,
                  args=lambda world, person=person: [world.files[person].pk])  # type: ignore[misc]  # fmt: skip
    yield row("export", [], status="confirmed")


def rows_of_choices() -> Iterator[Row]:
    """Django's search for everything that a field may point at: open to those who may view what it finds."""
    registered: dict[Any, Any] = admin.site._registry
    models: list[type[Model]] = []
    for model, model_admin in registered.items():
        models += [model, *(inline.model for inline in model_admin.inlines)]
    for model in models:
        for source in [*model._meta.fields, *model._meta.many_to_many]:
            found: Any = source.related_model
            if found not in registered or not registered[found].search_fields:
                continue
            place = f"?app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={source.name}"
            view = MODELS.get(f"{found._meta.app_label}_{found._meta.model_name}", (NONE,))[0]
            yield Row("autocomplete", view, query=place)


ROWS = list(rows())


# --- The table is whole ----------------------------------------------------------------------------------------


def admin_urls() -> Iterator[str]:
    """The name of every address of the admin; the route of one that has none."""

    def below(patterns: Any, route: str) -> Iterator[str]:
        for pattern in patterns:
            whole = route + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from below(pattern.url_patterns, whole)
            else:
                assert isinstance(pattern, URLPattern)
                yield pattern.name or whole

    (whole,) = [found for found in get_resolver().url_patterns if getattr(found, "namespace", "") == "admin"]
    assert isinstance(whole, URLResolver)
    yield from below(whole.url_patterns, "")


def unknown(names: Iterable[str]) -> list[str]:
    return sorted(set(names) - {row.name for row in ROWS} - DOORS)


def test_every_address_of_the_admin_has_a_row_that_says_who_may() -> None:
    without = unknown(admin_urls())
    assert not without, f"Say in config/tests/test_admin_walk.py who may open and act on: {', '.join(without)}"


def test_every_row_is_about_an_address_that_exists() -> None:
    assert not {row.name for row in ROWS} - set(admin_urls())


def test_every_action_of_a_list_has_a_row_that_says_who_may() -> None:
    request = RequestFactory().get("/")
    request.user = User(username="root", is_superuser=True, is_active=True)
    found = {
        (f"{model._meta.app_label}_{model._meta.model_name}", action)
        for model, model_admin in admin.site._registry.items()
        for action in model_admin.get_actions(request)
    }
    assert found == set(ACTIONS)


# --- The walk --------------------------------------------------------------------------------------------------

WRITING = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|TRUNCATE)\b", re.IGNORECASE)


@contextmanager
def writes() -> Iterator[list[str]]:
    """The statements that change rows, while this lasts; afterwards all is as before."""
    found: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if WRITING.match(sql):
            found.append(sql[:80])
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(watch):
            yield found
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def refusals_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of refusals, each with its traceback, would bury the one line that says what is wrong."""
    caplog.set_level(logging.ERROR, "django.request")


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once for the whole walk, and taken back at its end: no step leaves anything behind."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


def asks_to_log_in(response: Any) -> bool:
    return response.status_code == 302 and str(response.headers["Location"]).startswith(reverse("admin:login"))


def wrong_on_opening(row: Row, person: str, response: Any, written: list[str]) -> str:
    if written:
        return f"a GET wrote: {written}"
    if person in OUTSIDERS:
        return "" if asks_to_log_in(response) else f"{response.status_code} instead of the log-in"
    expected = row.opened if person in row.opens else row.closed
    if response.status_code != expected or asks_to_log_in(response):
        return f"{response.status_code} instead of {expected}"
    return ""


def wrong_on_acting(row: Row, person: str, response: Any, written: list[str]) -> str:
    status = response.status_code
    if person in row.acts:
        return "" if written and status in {200, 302} else f"{status}, and {written or 'nothing'} was written"
    if written:
        return f"{status}, but it wrote: {written}"
    if person in OUTSIDERS:
        return "" if status == 401 else f"{status} instead of 401"
    if person not in row.opens:
        return "" if status in {row.closed, *row.refused, 405} else f"{status} instead of {row.closed}"
    if row.acts:
        return "" if status in row.refused else f"{status} instead of {row.refused}"
    return "" if status < 500 else f"{status}"


def steps(world: World, person: str, method: str) -> Iterator[tuple[Row, str]]:
    """The rows to walk, each with its address.

    Rows that differ only in what is sent are one page to open. A page that writes nothing for a superuser writes
    nothing for those who may less, so they do not post there.
    """
    opened: set[str] = set()
    for row in ROWS:
        url = row.url(world)
        if method == "get" and url not in opened:
            opened.add(url)
            yield row, url
        elif method == "post" and (row.acts or person in {ADMINISTRATOR, NOBODY}):
            yield row, url


def walk(world: World, person: str, method: str) -> list[str]:
    """Everything that is not as its row says."""
    problems = []
    for row, url in steps(world, person, method):
        data = row.data(world, url) if method == "post" else None
        with writes() as written:
            try:
                response = getattr(as_person(world, person), method)(url, data)
            except Exception as error:  # the walk goes on, so that one broken page hides no other
                problems.append(f"{row.name} ({url}): {error!r}")
                continue
        check = wrong_on_acting if method == "post" else wrong_on_opening
        if problem := check(row, person, response, written):
            problems.append(f"{row.name} ({url}): {problem}")
    return problems


@pytest.mark.django_db
@pytest.mark.parametrize("person", PEOPLE)
def test_each_person_opens_what_the_table_says_and_opening_changes_nothing(world: World, person: str) -> None:
    problems = walk(world, person, "get")
    assert not problems, "\n".join(problems)


@pytest.mark.django_db
@pytest.mark.parametrize("person", PEOPLE)
def test_each_person_does_what_the_table_says_and_being_refused_changes_nothing(world: World, person: str) -> None:
    problems = walk(world, person, "post")
    assert not problems, "\n".join(problems)


# --- What no row can say ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("person", PEOPLE)
def test_the_log_in_is_open_and_lets_staff_in_alone(world: World, person: str) -> None:
    url = reverse("admin:login")
    assert as_person(world, person).get(url).status_code == (200 if person in OUTSIDERS else 302)
    name = world.users[person].username if person != NOBODY else "nobody-of-that-name"
    with writes():
        response = Client().post(url, {"username": name, "password": PASSWORD})
        assert response.status_code == (200 if person in OUTSIDERS else 302)


@pytest.mark.django_db
def test_only_a_post_logs_out(world: World) -> None:
    client, url = as_person(world, WRITER), reverse("admin:logout")
    assert client.get(url).status_code == 405
    assert client.get(reverse("admin:index")).status_code == 200
    with writes():
        client.post(url)
        assert asks_to_log_in(client.get(reverse("admin:index")))


@pytest.mark.django_db
@pytest.mark.parametrize("person", PEOPLE)
def test_the_sites_settings_are_first_saved_by_a_publisher(world: World, person: str) -> None:
    url = reverse("admin:publishing_sitesettings_add")
    with writes():
        SiteSettings.objects.all().delete()
        data = FormReader.read(as_person(world, ADMINISTRATOR).get(url).content.decode())
        as_person(world, person).post(url, data | {"name": "Typed name"})
        assert SiteSettings.objects.filter(name="Typed name").exists() == (person in PUBLISHERS)


@pytest.mark.django_db
def test_an_editor_links_a_contributor_to_an_account_without_looking_through_the_accounts(world: World) -> None:
    url = reverse("admin:publishing_contributor_change", args=[world.rows["publishing_contributor"].pk])
    page = as_person(world, EDITOR).get(url).content.decode()
    colleague, reader = world.users[COLLEAGUE], world.users[READER]
    assert f'value="{colleague.pk}"' in page
    assert reader.username not in page  # who cannot log in to the admin cannot sign there
    with writes():
        response = as_person(world, EDITOR).post(url, FormReader.read(page) | {"user": colleague.pk})
        assert response.status_code == 302
        assert User.objects.get(pk=colleague.pk).contributor == world.rows["publishing_contributor"]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_on_record_is_deleted_by_nobody(world: World, kind: str) -> None:
    draft = world.drafts[kind].main
    url = reverse(f"admin:{NAMES[kind]}_delete", args=[draft.pk])
    for person in STAFF:
        with writes() as written:
            assert as_person(world, person).post(url, {"post": "yes"}).status_code == 403
        assert not written


@pytest.mark.django_db
def test_a_reviewer_does_not_take_back_the_review_of_another(world: World) -> None:
    texts = world.drafts["article"]
    with writes():
        other = make_reviewer("Olga Other")
        theirs = sign(texts.main, other)
        url = reverse("admin:blog_article_revoke", args=[texts.main.pk, theirs.pk])
        assert as_person(world, REVIEWER).post(url, {"reason": "It is not mine."}).status_code == 403


def test_a_new_address_without_a_row_fails_by_its_name() -> None:
    assert unknown([*admin_urls(), "blog_article_explode"]) == ["blog_article_explode"]
