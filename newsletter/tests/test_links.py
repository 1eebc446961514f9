"""The tokens of the links in mail: nobody guesses one, and none does what another is for (S5)."""

from __future__ import annotations

import base64
import itertools
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from newsletter import identity, links
from newsletter.tests.processes import seeded
from newsletter.tests.rows import make_subscribers
from newsletter.tests.test_sign_up_pages import everything

pytestmark = pytest.mark.once

PAIRS = list(itertools.permutations(links.Purpose, 2))
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def accepted(purpose: links.Purpose, token: str) -> bool:
    try:
        links.read(purpose, token)
    except links.BadLink:
        return False
    return True


def guesses(person: uuid.UUID, number: int) -> Any:
    """Tokens that somebody makes up who knows the person's ID and how tokens look, and one real token of each kind."""
    random = seeded()
    real = [links.token(purpose, person) for purpose in links.Purpose]
    value, stamp, mark = real[0].split(".")
    for count in range(number):
        made_up = "".join(random.choices(LETTERS, k=len(mark)))
        match count % 5:
            case 0:
                yield f"{value}.{stamp}.{made_up}"
            case 1:
                other = base64.urlsafe_b64encode(random.randbytes(16)).rstrip(b"=").decode()
                yield f"{other}.{stamp}.{mark}"
            case 2:
                token = random.choice(real)
                place = random.randrange(len(token))
                yield token[:place] + random.choice(LETTERS.replace(token[place], "")) + token[place + 1 :]
            case 3:
                yield "".join(random.choices(LETTERS + ".", k=random.randrange(1, 120)))
            case 4:
                token = random.choice(real)
                yield token[: random.randrange(len(token))]


@pytest.mark.parametrize("number", [10_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_nobody_guesses_a_token(number: int) -> None:
    person = uuid.uuid4()
    purposes = list(links.Purpose)
    hits = [
        (purpose, guess)
        for count, guess in enumerate(guesses(person, number))
        if accepted(purpose := purposes[count % len(purposes)], guess)
    ]
    assert hits == []


@pytest.mark.django_db
def test_no_guess_finds_a_person_by_way_of_the_pages() -> None:
    [person] = make_subscribers(1)
    before = everything()
    client = Client()
    for guess in guesses(person.uuid, 25):  # five of each kind; the tokens themselves are tried above
        for purpose in (links.Purpose.UNSUBSCRIBE, links.Purpose.ERASE):
            assert client.post(f"/newsletter/{purpose}/{guess}/").status_code in (301, 404)
    assert everything() == before


@pytest.mark.parametrize(("made_for", "used_for"), PAIRS)
def test_a_token_does_only_what_it_was_made_for(made_for: links.Purpose, used_for: links.Purpose) -> None:
    assert not accepted(used_for, links.token(made_for, uuid.uuid4()))


@pytest.mark.django_db
@pytest.mark.parametrize(("made_for", "used_for"), PAIRS)
def test_the_page_of_one_purpose_takes_no_token_of_another(made_for: links.Purpose, used_for: links.Purpose) -> None:
    [person] = make_subscribers(1)
    before = everything()
    address = f"/newsletter/{used_for}/{links.token(made_for, person.uuid)}/"
    for response in (Client().get(address), Client().post(address), Client().post(address, {"action": "erase"})):
        assert response.status_code == 404
    assert everything() == before


def test_other_signed_things_of_the_site_are_no_links(settings: Any) -> None:
    person = uuid.uuid4()
    value = base64.urlsafe_b64encode(person.bytes).rstrip(b"=").decode()
    others = [
        identity.token(7),
        signing.TimestampSigner(sep=".", salt="newsletter.erase").sign(value),  # by SECRET_KEY
        signing.TimestampSigner(key=settings.NEWSLETTER_KEYS[0], sep=".").sign(value),  # for no purpose
        signing.dumps(str(person), key=settings.NEWSLETTER_KEYS[0]),
    ]
    assert not [token for token in others for purpose in links.Purpose if accepted(purpose, token)]


def after(monkeypatch: pytest.MonkeyPatch, span: timedelta) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + span.total_seconds())


@pytest.mark.parametrize(
    ("purpose", "lifetime"),
    [
        (links.Purpose.CONFIRM, timedelta(days=30)),
        (links.Purpose.EXPORT, timedelta(hours=24)),
        (links.Purpose.ERASE, timedelta(hours=24)),
    ],
)
def test_a_link_expires_when_its_time_is_over_and_not_before(
    purpose: links.Purpose, lifetime: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = links.token(purpose, uuid.uuid4())
    after(monkeypatch, lifetime - timedelta(minutes=1))
    assert accepted(purpose, token)
    after(monkeypatch, timedelta(minutes=2))
    with pytest.raises(links.BadLink) as caught:
        links.read(purpose, token)
    assert caught.value.expired


@pytest.mark.parametrize("purpose", [links.Purpose.UNSUBSCRIBE, links.Purpose.CHOICES])
def test_leaving_and_choosing_never_expire(purpose: links.Purpose, monkeypatch: pytest.MonkeyPatch) -> None:
    token = links.token(purpose, uuid.uuid4())
    after(monkeypatch, timedelta(days=20 * 365))
    assert accepted(purpose, token)


def test_a_key_that_was_replaced_still_opens_what_it_signed_and_signs_nothing_new(settings: Any) -> None:
    person, old = uuid.uuid4(), list(settings.NEWSLETTER_KEYS)
    before = links.token(links.Purpose.UNSUBSCRIBE, person)
    settings.NEWSLETTER_KEYS = ["a new key", *old]
    assert links.read(links.Purpose.UNSUBSCRIBE, before) == person
    since = links.token(links.Purpose.UNSUBSCRIBE, person)
    settings.NEWSLETTER_KEYS = old
    assert not accepted(links.Purpose.UNSUBSCRIBE, since)


def test_a_new_secret_key_breaks_no_link(settings: Any) -> None:
    token = links.token(links.Purpose.UNSUBSCRIBE, uuid.uuid4())
    settings.SECRET_KEY = "another"
    assert accepted(links.Purpose.UNSUBSCRIBE, token)


def test_a_link_names_the_site_of_the_settings_and_not_the_person(settings: Any) -> None:
    settings.SITE_URL = "https://health.example"
    person = uuid.uuid4()
    for purpose in links.Purpose:
        url = links.url(purpose, links.token(purpose, person))
        assert url.startswith(f"https://health.example/newsletter/{purpose}/")
        assert str(person) not in url
