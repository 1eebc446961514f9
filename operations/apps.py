"""The app that runs the site, and the admin as this site configures it."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    """What keeps the site going: scheduler, admin site, the page of caught mail."""

    name = "operations"
    verbose_name = _("Operations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from operations.roles import keep_groups

        # For each app, not for this one: it comes first, and the others' permissions do not exist by then.
        post_migrate.connect(keep_groups, dispatch_uid="operations.roles")


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin, with this project's site class."""

    default_site = "operations.admin.AdminSite"
