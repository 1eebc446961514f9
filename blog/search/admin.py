"""What readers looked for in vain, for editors: what to write next, or which other name a condition lacks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Exists, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from blog.search.models import SearchMiss

SHOWN_FROM = 3  # times in 90 days; what fewer asked may be about one person


@admin.register(SearchMiss)
class SearchMissAdmin(admin.ModelAdmin):
    """A line for each term, of its latest day, with the sums of all its days."""

    list_display = ["term", "days_30", "days_90", "day", "try_it"]
    list_display_links = None
    search_fields = ["term"]
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[SearchMiss]:
        later = SearchMiss.objects.filter(term=OuterRef("term"), day__gt=OuterRef("day"))
        found: QuerySet[SearchMiss] = SearchMiss.objects.filter(~Exists(later))
        return found.annotate(times_30=_times(30), times_90=_times(90)).filter(times_90__gte=SHOWN_FROM)

    def get_ordering(self, request: HttpRequest) -> Any:
        return ["-times_90", "term"]

    @admin.display(description=_("last 30 days"), ordering="times_30")
    def days_30(self, row: Any) -> int:
        times: int = row.times_30
        return times

    @admin.display(description=_("last 90 days"), ordering="times_90")
    def days_90(self, row: Any) -> int:
        times: int = row.times_90
        return times

    @admin.display(description=_("what is found now"))
    def try_it(self, row: SearchMiss) -> SafeString:
        address = f"{reverse('blog:search')}?{urlencode({'q': row.term})}"
        return format_html('<a href="{}">{}</a>', address, _("Search"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _times(days: int) -> Coalesce:
    """How often the term was looked for in so many days."""
    since = timezone.localdate() - timedelta(days=days)
    rows = SearchMiss.objects.filter(term=OuterRef("term"), day__gt=since).order_by().values("term")
    return Coalesce(Subquery(rows.annotate(times=Sum("count")).values("times")), 0, output_field=IntegerField())
