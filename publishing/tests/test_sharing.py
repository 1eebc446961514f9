"""The picture of a shared page: the crop, the card with the title, or the site's own; found without a query."""

from __future__ import annotations

import io
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from config.tests.factories import STATES, fresh, make_article, make_in_state, make_picture, publish_draft, reword
from images.models import Picture
from publishing.models import Publication, SiteSettings
from publishing.sharing import SharePicture, share_picture

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def listed(draft: Any) -> Publication:
    """The publication of a draft as lists read it."""
    return Publication.objects.listed().get(pk=draft.publication_id)


def live_article(**fields: Any) -> Any:
    draft = make_article(**fields)
    publish_draft(draft)
    return draft


def shared(draft: Any) -> SharePicture:
    return share_picture(listed(draft))


def path(found: SharePicture) -> str:
    assert found.url.startswith("http://testserver/")
    return urlsplit(found.url).path


# --- Which picture -----------------------------------------------------------------------------------------------


def test_page_with_a_picture_shows_its_crop(django_assert_num_queries: Any) -> None:
    picture = make_picture(size=(1300, 700), alt="A spine")
    publication = listed(live_article(picture=picture))
    with django_assert_num_queries(0):
        found = share_picture(publication)
    assert (found.width, found.height, found.alt) == (1200, 630, "A spine")
    with default_storage.open(path(found).removeprefix("/media/")) as file, Image.open(file) as image:
        assert (image.format, image.size) == ("JPEG", (1200, 630))


def test_size_that_is_told_is_that_of_a_smaller_crop() -> None:
    found = shared(live_article(picture=make_picture(size=(700, 700))))
    assert (found.width, found.height) == (700, 368)
    with default_storage.open(path(found).removeprefix("/media/")) as file, Image.open(file) as image:
        assert image.size == (700, 368)


def test_decorative_picture_is_described_by_the_title() -> None:
    picture = make_picture(size=(700, 700))
    Picture.objects.update(alt="", decorative=True)
    assert shared(live_article(title="Back pain", picture=picture)).alt == "Back pain"


@pytest.mark.parametrize("lack", ["no picture", "too small", "not made yet"])
def test_any_other_page_shows_its_title(lack: str, django_assert_num_queries: Any) -> None:
    size = (500, 500) if lack == "too small" else (700, 700)
    draft = live_article(title="Back pain", picture=None if lack == "no picture" else make_picture(size=size))
    if lack == "not made yet":
        Picture.objects.update(rendered_at=None, made_recipe=None)
    publication = listed(draft)
    with django_assert_num_queries(0):
        found = share_picture(publication)
    assert path(found).startswith(f"/share/{publication.uuid}/")
    assert (found.width, found.height, found.alt) == (1200, 630, "Back pain")


def test_title_that_cannot_be_drawn_and_pages_without_one_show_the_sites_own(
    django_assert_num_queries: Any,
) -> None:
    publication = listed(live_article(title="背痛", slug="back"))
    with django_assert_num_queries(0):
        found = [share_picture(publication), share_picture(None)]
    assert {path(each) for each in found} == {"/static/icons/share.jpg"}
    assert all((each.width, each.height) == (1200, 630) and each.alt for each in found)


# --- The card ----------------------------------------------------------------------------------------------------


def test_card_is_a_jpeg_that_caches_may_keep(client: Client) -> None:
    response = client.get(path(shared(live_article())))
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    assert response["Cache-Control"] == "public, max-age=86400"
    assert not response.has_header("Vary")
    assert not response.cookies
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (1200, 630)


def test_card_is_drawn_once(client: Client) -> None:
    cache.clear()
    address = path(shared(live_article()))
    with patch("publishing.sharing.cards.share_card", return_value=b"jpeg") as draw:
        assert [client.get(address).content for _each in range(3)] == [b"jpeg"] * 3
        assert draw.call_count == 1
        SiteSettings.objects.update_or_create(pk=1, defaults={"name": "Another name"})
        client.get(address)
        assert draw.call_args.args[1] == "Another name"


def test_card_of_an_earlier_title_leads_to_the_one_of_today(client: Client) -> None:
    draft = live_article(title="Back pain")
    before = path(shared(draft))
    draft.title = "Pain in the back"
    publish_draft(reword(draft))
    assert path(shared(draft)) != before
    assert client.get(before)["Location"] == path(shared(draft))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", ["article", "condition", "page"])
def test_only_what_is_live_has_a_card(client: Client, kind: str, state: str) -> None:
    publication = fresh(make_in_state(state, kind)).publication
    live = state in ("live", "live with a newer draft", "superseded")
    response = client.get(f"/share/{publication.uuid}/0.jpg")
    assert response.status_code == (302 if live else 404)
    if live:
        assert client.get(response["Location"]).status_code == 200


def test_no_title_but_the_live_one_is_ever_drawn(client: Client) -> None:
    draft = live_article(title="背痛", slug="back")
    assert client.get(f"/share/{draft.publication.uuid}/0.jpg").status_code == 404
