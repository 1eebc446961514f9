from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BlogConfig(AppConfig):
    name = "blog"
    verbose_name = _("Articles and pages")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from blog.checks import article_kind_checks, page_kind_checks
        from blog.documents import ArticleDocument, PageDocument
        from blog.jsonld import PAGES, article_graph, page_graph
        from blog.models import Article, Page
        from blog.search.index import on_public_change
        from publishing.jsonld import register_page
        from publishing.kinds import Kind, register
        from publishing.signals import public_changed

        public_changed.connect(on_public_change, dispatch_uid="blog.search")

        register(
            Kind(
                name=Article.KIND,
                label=_("article"),
                document=ArticleDocument,
                draft=Article,
                url_name="blog:article-detail",
                page_template="blog/article_detail.html",
                checks=article_kind_checks,
                json_ld=article_graph,
            )
        )
        register(
            Kind(
                name=Page.KIND,
                label=_("page"),
                document=PageDocument,
                draft=Page,
                url_name="blog:page-detail",
                page_template="blog/page_detail.html",
                checks=page_kind_checks,
                json_ld=page_graph,
            )
        )
        for view_name, builder in PAGES.items():
            register_page(view_name, builder)
