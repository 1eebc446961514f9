"""Rows that the database itself refuses to change, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import BaseConstraint, Model


class Immutable(BaseConstraint):
    """Refuses UPDATE, and DELETE too unless `deletable_if` (an SQL condition on OLD) holds.

    A constraint, not a RunSQL migration: Django rebuilds SQLite tables on most alterations, which drops their
    triggers; constraints are made again with the table. A refused statement is an IntegrityError. On SQLite
    `PRAGMA recursive_triggers=ON` is needed, or INSERT OR REPLACE goes round the DELETE trigger.
    Adding a non-null column to a table with rows on PostgreSQL needs a database default: a backfill is an UPDATE.
    """

    def __init__(self, *, name: str, deletable_if: str = "") -> None:
        super().__init__(name=name)
        self.deletable_if = deletable_if

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        if self.deletable_if:
            kwargs["deletable_if"] = self.deletable_if
        return path, args, kwargs

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Immutable):
            return NotImplemented
        return (self.name, self.deletable_if) == (other.name, other.deletable_if)

    def __hash__(self) -> int:
        return hash((self.name, self.deletable_if))

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to say before saving: forms make new rows only."""

    # The stubs say str where Django takes a Statement, and None for statements that are run later.
    def constraint_sql(  # type: ignore[override]
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> None:
        if schema_editor.connection.vendor == "sqlite":
            self._set_aside_triggers_naming(model, schema_editor)
        schema_editor.deferred_sql.extend(self._create(model, schema_editor))

    def create_sql(  # type: ignore[override]
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        first, *rest = self._create(model, schema_editor)
        schema_editor.deferred_sql.extend(rest)
        return first

    def remove_sql(  # type: ignore[override]
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement | None:
        if schema_editor.connection.vendor == "sqlite":
            return None  # removing a constraint rebuilds the table without it
        return self._statement(
            f'DROP TRIGGER IF EXISTS "{self.name}" ON %(table)s; DROP FUNCTION IF EXISTS "{self.name}"()',
            model,
            schema_editor,
        )

    def _set_aside_triggers_naming(self, model: type[Model], editor: BaseDatabaseSchemaEditor) -> None:
        """Drop the triggers of other tables that name this one in `deletable_if`, and make them again afterwards.

        A rebuild drops the table and renames its successor, and SQLite refuses to rename anything while a trigger
        names a table that is missing. (A rebuild that removes this very constraint does not come by here: remove
        the one that names the table first.)
        """
        table = model._meta.db_table.removeprefix("new__")
        with editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name <> %s AND instr(sql, %s)",
                [table, table],
            )
            for name, sql in cursor.fetchall():
                editor.execute(f"DROP TRIGGER {editor.quote_name(name)}")
                editor.deferred_sql.append(sql)

    def _statement(self, sql: str, model: type[Model], editor: BaseDatabaseSchemaEditor) -> Statement:
        return Statement(sql, table=Table(model._meta.db_table, editor.quote_name))

    def _create(self, model: type[Model], editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        refusal = "this row is a record: it can be added to, not changed"
        if editor.connection.vendor == "sqlite":
            unless = f" WHEN NOT ({self.deletable_if})" if self.deletable_if else ""
            sqls = [
                f'CREATE TRIGGER "{self.name}_{event.lower()}" BEFORE {event} ON %(table)s{condition} '
                f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
                for event, condition in (("UPDATE", ""), ("DELETE", unless))
            ]
        else:
            allow = (
                f"IF TG_OP = 'DELETE' AND ({self.deletable_if}) THEN RETURN OLD; END IF; " if self.deletable_if else ""
            )
            sqls = [
                f'CREATE OR REPLACE FUNCTION "{self.name}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {allow}'
                f"RAISE EXCEPTION '{refusal}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
                f'CREATE TRIGGER "{self.name}" BEFORE UPDATE OR DELETE ON %(table)s '
                f'FOR EACH ROW EXECUTE FUNCTION "{self.name}"()',
            ]
        return [self._statement(sql, model, editor) for sql in sqls]
