from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConditionsConfig(AppConfig):
    name = "conditions"
    verbose_name = _("Condition library")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from conditions.checks import checks
        from conditions.documents import ConditionDocument
        from conditions.jsonld import PAGES, condition_graph
        from conditions.models import Condition
        from publishing.jsonld import register_page
        from publishing.kinds import Kind, register

        register(
            Kind(
                name=Condition.KIND,
                label=_("condition"),
                document=ConditionDocument,
                draft=Condition,
                url_name="conditions:condition-detail",
                page_template="conditions/condition_detail.html",
                checks=checks,
                json_ld=condition_graph,
            )
        )
        for view_name, builder in PAGES.items():
            register_page(view_name, builder)
