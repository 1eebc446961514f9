"""The app that runs the site, and the admin as this site configures it."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    """What keeps the site going: scheduler, admin site, the page of caught mail."""

    name = "operations"
    verbose_name = _("Operations")
    default_auto_field = "django.db.models.BigAutoField"


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin, with this project's site class."""

    default_site = "operations.admin.AdminSite"
