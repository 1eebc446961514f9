"""The admin site that editors work in."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class AdminSite(admin.AdminSite):
    """Django's admin under this site's name."""

    site_header = _("Bedside")
    site_title = _("Bedside")
    index_title = _("Start")
