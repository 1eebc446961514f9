"""Who may do what: one table, kept as groups of the same names.

`docs/roles.md` says the same in words, and a test holds the two equal. Every `migrate` sets the groups to what the
table says; who needs something else makes a group of their own and adds it to a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.apps.registry import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import router
from django.utils.translation import gettext_lazy as _

WRITER, EDITOR, REVIEWER, PUBLISHER = "Writer", "Editor", "Medical reviewer", "Publisher"
ROLES = (WRITER, EDITOR, REVIEWER, PUBLISHER)

ALL = ROLES
WRITING = (WRITER, EDITOR, PUBLISHER)
EDITING = (EDITOR, PUBLISHER)

PARTS = (
    "blog.articleentry",
    "blog.articlesection",
    "blog.preventiontip",
    "blog.articlewarningsign",
    "conditions.conditiontip",
)
DRAFTS = ("blog.article", "conditions.condition")


def _may(actions: str, *models: str) -> tuple[str, ...]:
    """The permissions to do each of the actions with each of the models: `blog.change_article`."""
    return tuple(model.replace(".", f".{action}_") for model in models for action in actions.split())


@dataclass(frozen=True)
class Row:
    """Something that can be done, who may do it, and the permissions that it takes."""

    what: Any
    roles: tuple[str, ...]
    permissions: tuple[str, ...]


TABLE = (
    Row(
        _("See every draft, its preview, its reviews and its history, and all that it is made of"),
        ALL,
        _may(
            "view",
            *DRAFTS,
            *PARTS,
            "blog.page",
            "blog.announcement",
            "blog.importedsource",
            "images.picture",
            "publishing.citation",
            "publishing.contributor",
            "publishing.sitesettings",
            "taggit.tag",
        ),
    ),
    Row(
        _("Write articles and conditions, and bring an older text back into the draft"),
        WRITING,
        (*_may("add change", *DRAFTS), *_may("add change delete", *PARTS)),
    ),
    Row(
        _("Delete an article or a condition that was never sent for review, shared or published"),
        WRITING,
        _may("delete", *DRAFTS),
    ),
    Row(
        _("Add and change pictures and sources"),
        WRITING,
        _may("add change", "images.picture", "publishing.citation"),
    ),
    Row(
        _("Send a draft for review, and share a link to its preview"),
        WRITING,
        ("publishing.add_snapshot",),
    ),
    Row(
        _("Write pages about the site"),
        EDITING,
        _may("add change delete", "blog.page"),
    ),
    Row(
        _("Add and change contributors, and link them to their accounts"),
        EDITING,
        _may("add change", "publishing.contributor"),
    ),
    Row(
        _("Delete pictures and sources that nothing needs any more"),
        EDITING,
        _may("delete", "images.picture", "publishing.citation"),
    ),
    Row(
        _("Add, rename and merge tags"),
        EDITING,
        _may("add change", "taggit.tag"),
    ),
    Row(
        _("See what readers report"),
        ALL,
        _may("view", "publishing.report"),
    ),
    Row(
        _("Deal with reports from readers, and delete them"),
        EDITING,
        _may("change delete", "publishing.report"),
    ),
    Row(
        _("See what readers searched for and did not find"),
        EDITING,
        _may("view", "blog.searchmiss"),
    ),
    Row(
        _("Bring old articles, correct what was understood of them, and make their drafts"),
        WRITING,
        _may("add change", "blog.importedsource"),
    ),
    Row(
        _("Delete the record of an import"),
        EDITING,
        _may("delete", "blog.importedsource"),
    ),
    Row(
        _("See issues of the newsletter and how their mails ended"),
        EDITING,
        _may("view", "newsletter.issue", "newsletter.issueitem", "newsletter.delivery"),
    ),
    Row(
        _("Write and change issues of the newsletter, and send a test"),
        EDITING,
        _may("add change delete", "newsletter.issue", "newsletter.issueitem"),
    ),
    Row(
        _("Sign a review, and take one's own back"),
        (REVIEWER,),
        _may("add", "publishing.signoff", "publishing.revocation"),
    ),
    Row(
        _("Publish, schedule, withdraw and restore"),
        (PUBLISHER,),
        ("publishing.publish_publication",),
    ),
    Row(
        _("Change the address and the tags of what was published"),
        (PUBLISHER,),
        ("publishing.readdress_publication",),
    ),
    Row(
        _("Redact a text: remove it for good, with a reason"),
        (PUBLISHER,),
        ("publishing.redact_publication",),
    ),
    Row(
        _("Send, pause and cancel issues, decide about mails in doubt, and dismiss alarms"),
        (PUBLISHER,),
        ("newsletter.send_issue",),
    ),
    Row(
        _("See subscribers and the record of their consent"),
        (PUBLISHER,),
        _may("view", "newsletter.subscriber", "newsletter.consent"),
    ),
    Row(
        _("Stop mail to a subscriber, lift a stop, and erase"),
        (PUBLISHER,),
        _may("change", "newsletter.subscriber"),
    ),
    Row(
        _("Import and export subscribers"),
        (PUBLISHER,),
        _may("import export", "newsletter.subscriber"),
    ),
    Row(
        _("Change the site's settings"),
        (PUBLISHER,),
        _may("add change", "publishing.sitesettings"),
    ),
    Row(
        _("Write, change and delete announcements"),
        (PUBLISHER,),
        _may("add change delete", "blog.announcement"),
    ),
)


def permissions_of(role: str) -> frozenset[str]:
    """Everything that a role may do, as Django writes it: `blog.change_article`. Takes one of ROLES."""
    return frozenset(name for row in TABLE if role in row.roles for name in row.permissions)


def _codenames(names: Iterable[str], app_label: str) -> list[str]:
    return [name.split(".")[1] for name in names if name.split(".")[0] == app_label]


def keep_groups(*, sender: AppConfig, using: str, apps: Apps = installed, **_more: Any) -> None:
    """Set what the roles may do in one app to what the table says, once the app's tables are there.

    Django calls this for each app after every `migrate` and `flush`. It may come before Django has made the app's
    permissions, so it asks for them first. Groups that the table does not name, and apps that it does not name, are
    left alone.
    """
    if not any(_codenames(row.permissions, sender.label) for row in TABLE):
        return
    create_permissions(sender, using=using, apps=apps, verbosity=0)
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:  # the accounts' tables are not there yet; they come with a later `migrate`
        return
    if not router.allow_migrate_model(using, group_model):
        return
    of_app = permission_model._default_manager.using(using).filter(content_type__app_label=sender.label)
    for role in ROLES:
        group, _made = group_model._default_manager.using(using).get_or_create(name=role)
        wanted = set(of_app.filter(codename__in=_codenames(permissions_of(role), sender.label)))
        has = set(group.permissions.using(using).filter(content_type__app_label=sender.label))
        group.permissions.add(*wanted - has)
        group.permissions.remove(*has - wanted)
