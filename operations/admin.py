"""The admin site that editors work in."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect

from operations.kept import PASSWORD, ask_to_log_in, log_in_again

# The models an editor works on every day, in the order of the menu at the top of every page.
MENU = (
    "blog.Article",
    "conditions.Condition",
    "images.Picture",
    "publishing.Citation",
    "publishing.Contributor",
    "newsletter.Issue",
    "newsletter.Subscriber",
    "publishing.Report",
    "blog.Page",
    "taggit.Tag",
)


class Choices(AutocompleteJsonView):
    """What a choosing dialog finds, with thumbnails; `id` asks for one that was just made."""

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        wanted = self.request.GET.get("id", "")
        return found.filter(pk=wanted) if wanted.isdecimal() else found

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        result: dict[str, str] = super().serialize_result(obj, to_field_name)
        return result | {"thumbnail": getattr(obj, "thumbnail_url", "")}


class AdminSite(admin.AdminSite):
    """Django's admin under this site's name."""

    site_header = _("Bedside")
    site_title = _("Bedside")
    index_title = _("Start")
    enable_nav_sidebar = False

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's, but a save by somebody whose session ended is kept until they have logged in again."""
        inner = super().admin_view(view, cacheable)

        def keeping(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            logging_out = request.path == reverse("admin:logout", current_app=self.name)
            if request.method == "POST" and not logging_out and not self.has_permission(request):
                return self.keep(request, inner, *args, **kwargs)
            response: HttpResponseBase = inner(request, *args, **kwargs)
            return response

        return update_wrapper(keeping, view)

    def keep(self, request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Log in with what the kept page says and carry on with the save, or show that page (again)."""

        def take(request: HttpRequest) -> HttpResponseBase:
            if PASSWORD not in request.POST:
                return ask_to_log_in(request)
            if problem := log_in_again(request, self.login_form or AdminAuthenticationForm):
                return ask_to_log_in(request, problem)
            response: HttpResponseBase = view(request, *args, **kwargs)
            return response

        return csrf_protect(take)(request)

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return Choices.as_view(admin_site=self)(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        return context | {"main_menu": self.main_menu(request, context.get("available_apps", []))}

    def main_menu(self, request: HttpRequest, apps: Any) -> list[dict[str, Any]]:
        """The lists of MENU that this person may see."""
        models = {f"{app['app_label']}.{model['object_name']}": model for app in apps for model in app["models"]}
        items = [models[name] for name in MENU if name in models and models[name].get("admin_url")]
        return [
            {"name": item["name"], "url": item["admin_url"], "current": request.path.startswith(item["admin_url"])}
            for item in items
        ]
