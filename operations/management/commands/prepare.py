"""Make a working copy ready to serve, in one process: starting Python twice would be most of the waiting."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """What `script/server` runs before the site.

    Its output is that of `demonstrate`: one line a log-in (role, tab, name and password).
    """

    help = "Migrates where needed and loads the demonstration content into an empty database."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate only where something is to be done, so that a second start changes nothing."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stderr.write("Preparing the database ...")
            call_command("migrate", verbosity=0, stdout=self.stderr)
        call_command("demonstrate", "--if-empty", stdout=self.stdout)
