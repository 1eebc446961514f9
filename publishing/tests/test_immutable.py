"""The database itself refuses to change what is on record, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from config.tests.factories import make_article, make_condition, make_user, publish_draft, sign
from publishing.constraints import Immutable
from publishing.models import (
    Draft,
    Edition,
    Fingerprinted,
    Redaction,
    Revocation,
    SignOff,
    Snapshot,
    StoredDocument,
)
from publishing.services import redact, revoke

RECORDS: list[type[models.Model]] = [StoredDocument, Snapshot, Edition, SignOff, Revocation, Redaction]
# A column of each that somebody might like to change.
COLUMN = {
    StoredDocument: "canonical",
    Snapshot: "note",
    Edition: "note",
    SignOff: "statement",
    Revocation: "reason",
    Redaction: "reason",
}
REFUSAL = "added to, not changed"

records = pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)


def make_records() -> None:
    """A row of every kind of record."""
    article = make_article()
    publish_draft(article)
    revoke(sign_off=sign(article), by=make_user(), reason="I read another text.")
    redact(fingerprint=publish_draft(make_condition()).fingerprint, by=make_user(), reason="A court order.")


def statements(model: type[models.Model], pk: Any) -> dict[str, Callable[[], Any]]:
    """Every way to write that goes past a model's save() and delete(), and those two."""
    name, table = COLUMN[model], connection.ops.quote_name(model._meta.db_table)
    rows = model._default_manager.filter(pk=pk)
    key = connection.ops.quote_name(str(model._meta.pk.column))

    def changed() -> Any:
        row = rows.get()
        setattr(row, name, "changed")
        return row

    def raw(sql: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, [pk])

    ways: dict[str, Callable[[], Any]] = {
        "update": lambda: rows.update(**{name: "changed"}),
        "save": lambda: changed().save(),
        "save_base raw": lambda: changed().save_base(raw=True, force_update=True),
        "bulk_update": lambda: model._default_manager.bulk_update([changed()], [name]),
        "upsert": lambda: model._default_manager.bulk_create(
            [changed()], update_conflicts=True, unique_fields=[model._meta.pk.name], update_fields=[name]
        ),
        "delete": lambda: rows.delete(),
        "_raw_delete": lambda: rows._raw_delete(rows.db),
        "UPDATE that changes nothing": lambda: raw(f"UPDATE {table} SET {name} = {name} WHERE {key} = %s"),
    }
    if connection.vendor == "sqlite":
        ways["INSERT OR REPLACE"] = lambda: raw(
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE {key} = %s"
        )
        ways["UPDATE OR REPLACE"] = lambda: raw(f"UPDATE OR REPLACE {table} SET {name} = 'changed' WHERE {key} = %s")
    return ways


def assert_immutable(model: type[models.Model]) -> None:
    """Every statement is refused, and the row is as it was."""
    row = model._default_manager.order_by("pk").values().first()
    assert row is not None
    pk = row[model._meta.pk.attname]
    for way, statement in statements(model, pk).items():
        try:
            with transaction.atomic():
                statement()
        except IntegrityError:
            pass
        else:
            pytest.fail(f"{model.__name__}: {way} was not refused")
        assert model._default_manager.filter(pk=pk).values().get() == row


@pytest.mark.django_db
@records
def test_no_statement_changes_or_deletes_a_record(model: type[models.Model]) -> None:
    make_records()
    assert_immutable(model)


@pytest.mark.django_db
def test_the_refusal_says_why() -> None:
    make_records()
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        Edition.objects.update(number=9)


def test_every_model_that_names_a_stored_text_is_immutable() -> None:
    """A new kind of record has to be listed in RECORDS, which the other tests walk."""
    found = {
        model
        for model in apps.get_models()
        if issubclass(model, Fingerprinted | StoredDocument | Redaction | Revocation)
        or ("fingerprint" in {field.name for field in model._meta.fields} and not issubclass(model, Draft))
    }
    assert found == set(RECORDS)
    for model in RECORDS:
        assert any(isinstance(constraint, Immutable) for constraint in model._meta.constraints), model


# --- The one way to delete -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_stored_document_is_deleted_only_where_a_redaction_names_it() -> None:
    kept, removed = publish_draft(make_article("Kept")), publish_draft(make_article("Removed"))
    Redaction.objects.create(fingerprint=removed.fingerprint, reason="A court order.")
    StoredDocument.objects.get(pk=removed.fingerprint).delete()
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        StoredDocument.objects.filter(pk=kept.fingerprint).delete()


@pytest.mark.django_db
def test_a_redacted_document_that_is_still_there_cannot_be_changed() -> None:
    edition = publish_draft(make_article())
    Redaction.objects.create(fingerprint=edition.fingerprint, reason="A court order.")
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        StoredDocument.objects.filter(pk=edition.fingerprint).update(canonical="{}")


# --- Migrations to come ----------------------------------------------------------------------------------------


def constraint_of(model: type[models.Model]) -> Immutable:
    return next(c for c in model._meta.constraints if isinstance(c, Immutable))


def alterations(model: type[models.Model]) -> dict[str, Operation]:
    """What a later migration may do to the table of a record."""
    name, column = model.__name__, COLUMN[model]
    return {
        "AlterField": migrations.AlterField(name, column, models.CharField(max_length=2000, db_index=True)),
        "AddField": migrations.AddField(name, "added", models.CharField(max_length=9, default="", db_default="")),
        "AddField nullable": migrations.AddField(name, "added", models.IntegerField(null=True)),
        "RemoveField": migrations.RemoveField(name, REMOVED[model]),
        "RenameField": migrations.RenameField(name, column, "renamed"),
        "AlterModelTable": migrations.AlterModelTable(name, "another_table"),
        "AddIndex": migrations.AddIndex(name, models.Index(fields=[column], name="another_index")),
        "AddConstraint": migrations.AddConstraint(
            name, models.CheckConstraint(condition=~models.Q(pk=None), name="another_constraint")
        ),
    }


# A column that nothing else names, and that can come back (it has a default, or may be empty).
REMOVED = {
    StoredDocument: "stored_at",
    Snapshot: "taken_by_name",
    Edition: "published_by_name",
    SignOff: "signed_at",
    Revocation: "revoked_by_name",
    Redaction: "redacted_by_name",
}


def refuses_update_and_delete(model: type[models.Model]) -> None:
    """The table of a model, as a migration's state has it, refuses both."""
    rows = model._default_manager.all()
    key = model._meta.pk.name
    assert rows.exists()
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        rows.update(**{key: models.F(key)})
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        rows._raw_delete(rows.db)


@pytest.fixture
def state() -> ProjectState:
    return ProjectState.from_apps(apps)


def apply(operation: Operation, old: ProjectState, new: ProjectState, forwards: bool = True) -> None:
    run = operation.database_forwards if forwards else operation.database_backwards
    with connection.schema_editor() as editor:
        run("publishing", editor, old, new)


@pytest.mark.django_db(transaction=True)
@records
def test_records_stay_immutable_when_their_table_is_altered_and_back(
    model: type[models.Model], state: ProjectState
) -> None:
    make_records()
    StoredDocument.objects.create(fingerprint="0" * 64, kind="page", canonical="{}")
    for operation in alterations(model).values():
        altered = state.clone()
        operation.state_forwards("publishing", altered)
        apply(operation, state, altered)
        try:
            refuses_update_and_delete(altered.apps.get_model("publishing", model.__name__))
        finally:
            apply(operation, altered, state, forwards=False)
        refuses_update_and_delete(model)
        assert_immutable(model)


@pytest.mark.django_db(transaction=True)
def test_a_stored_document_can_still_be_redacted_after_both_tables_were_rebuilt(state: ProjectState) -> None:
    for model in (StoredDocument, Redaction):
        operation = alterations(model)["AddField"]
        altered = state.clone()
        operation.state_forwards("publishing", altered)
        apply(operation, state, altered)
        apply(operation, altered, state, forwards=False)
    edition = publish_draft(make_article())
    redact(fingerprint=edition.fingerprint, by=make_user(), reason="A court order.")
    assert not StoredDocument.objects.filter(pk=edition.fingerprint).exists()


@pytest.mark.django_db(transaction=True)
@records
def test_the_constraint_can_be_removed_and_added_again(model: type[models.Model], state: ProjectState) -> None:
    make_records()
    # The trigger of stored documents names redactions, so it goes first and comes back last.
    operations = [
        migrations.RemoveConstraint(each.__name__, constraint_of(each).name)
        for each in ((StoredDocument, Redaction) if model is Redaction else (model,))
    ]
    states = [state]
    for operation in operations:
        states.append(states[-1].clone())
        operation.state_forwards("publishing", states[-1])
        apply(operation, states[-2], states[-1])
    try:
        assert model._default_manager.update(**{COLUMN[model]: models.F(COLUMN[model])})
    finally:
        for operation in reversed(operations):
            apply(operation, states.pop(), states[-1], forwards=False)
    refuses_update_and_delete(model)


# --- Flushing --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_test_database_can_be_emptied_and_is_immutable_afterwards() -> None:
    make_records()
    call_command("flush", interactive=False, verbosity=0)
    assert not any(model._default_manager.exists() for model in RECORDS)
    make_records()
    for model in RECORDS:
        assert_immutable(model)


def test_the_constraint_is_kept_by_migrations() -> None:
    constraint = Immutable(name="a", deletable_if="1 = 1")
    path, args, kwargs = constraint.deconstruct()
    assert path.endswith("Immutable")
    assert Immutable(*args, **kwargs) == constraint != Immutable(name="a")
    assert constraint != "a"
    assert len({constraint, constraint.clone(), Immutable(name="a")}) == 2
