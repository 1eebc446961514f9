"""The addresses that the pages of a kind of document have in common."""

from django.urls import URLPattern, path

from publishing import views
from publishing.open_data import open_data
from publishing.views import DocumentPage, public_page


def document_urls(folder: str, kind: str, page: type[DocumentPage]) -> list[URLPattern]:
    """The addresses below `folder` of the documents of a kind, named '<kind>-detail', '<kind>-editions' and so on."""
    extra = {"kind": kind}
    base = f"{folder}/<slug:slug>"
    return [
        path(f"{base}/", public_page(page.as_view(kind=kind)), name=f"{kind}-detail"),
        path(f"{base}/editions/", public_page(views.edition_list), extra, name=f"{kind}-editions"),
        path(f"{base}/editions/<int:number>/", public_page(views.edition_detail), extra, name=f"{kind}-edition"),
        path(f"{base}/compare/", public_page(views.edition_compare), extra, name=f"{kind}-compare"),
        path(f"{base}/trust.json", open_data(public_page(views.trust_json)), extra, name=f"{kind}-trust"),
        path(f"{base}.json", open_data(public_page(views.document_json)), extra, name=f"{kind}-json"),
        path(f"{base}.md", open_data(public_page(views.document_markdown)), extra, name=f"{kind}-markdown"),
    ]
