"""What editors do with issues in the admin: write, look, test, send, watch, decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.tests.factories import make_article, make_user, publish_draft, sign
from newsletter import clock, issues
from newsletter.admin.issue_pages import PAGE, TESTS_AN_HOUR, find_obstacles, in_scheme
from newsletter.admin.progress import NOTHING, Progress
from newsletter.models import Alarm, Delivery, Issue, IssueItem, Sender, raise_alarm
from newsletter.tests.rows import make_issue, make_subscribers
from publishing.models import Publication
from publishing.services import withdraw

pytestmark = [pytest.mark.django_db, pytest.mark.once]

State = Delivery.State
LIST = "admin:newsletter_issue_changelist"


def url(view: str, issue: Issue, *args: Any) -> str:
    return reverse(f"admin:newsletter_issue_{view}", args=[issue.pk, *args])


def fresh(issue: Issue) -> Issue:
    return Issue.objects.get(pk=issue.pk)


def log_in(client: Client, role: str) -> User:
    user = User.objects.create_user(role.lower(), f"{role.lower()}@news.example", is_staff=True, first_name=role)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


@pytest.fixture
def publisher(client: Client) -> Client:
    log_in(client, "Publisher")
    return client


@pytest.fixture
def editor(client: Client) -> Client:
    log_in(client, "Editor")
    return client


def make_live(title: str = "Back pain", **fields: Any) -> Publication:
    """A live article that was reviewed, so that it may be mailed at any strictness."""
    draft = make_article(title, **fields)
    sign(draft)
    publish_draft(draft)
    return Publication.objects.get(pk=draft.publication_id)


def make_draft(*publications: Publication, **fields: Any) -> Issue:
    issue = make_issue(Issue.State.DRAFT, starts_at=None, **fields)
    for position, publication in enumerate(publications, start=1):
        IssueItem.objects.create(issue=issue, publication=publication, position=position)
    return issue


def make_sending(counts: dict[str, int], **fields: Any) -> Issue:
    """An issue under way with so many deliveries in each state."""
    now = clock.now()
    issue = make_issue(
        Issue.State.SENDING,
        **{"frozen_at": now, "prepared_at": now, "recipients": sum(counts.values())} | fields,
    )
    make_deliveries(issue, counts)
    return issue


def make_deliveries(issue: Issue, counts: dict[str, int], **fields: Any) -> list[Delivery]:
    now = clock.now()
    rows = [
        Delivery(issue=issue, state=state, **{"due_at": now, "address": f"{state}{number}@readers.example"} | fields)
        for state, count in counts.items()
        for number in range(1, count + 1)
    ]
    return Delivery.objects.bulk_create(rows)


def posted(response: Any, **changes: Any) -> dict[str, Any]:
    """What a browser would send of the form of an issue, with some fields changed."""
    data: dict[str, Any] = {}
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        values = {bound.html_name: bound.value() for bound in form}
        data |= {name: value for name, value in values.items() if value is not None and value is not False}
    return data | changes


def with_article(data: dict[str, Any], publication: Publication, position: int = 9) -> dict[str, Any]:
    number = int(data["items-TOTAL_FORMS"])
    row = {f"items-{number}-publication": publication.pk, f"items-{number}-position": position}
    return data | row | {"items-TOTAL_FORMS": number + 1}


# --- The list --------------------------------------------------------------------------------------------------


def test_the_list_says_how_far_each_issue_is(editor: Client) -> None:
    make_sending({State.SENT: 3, State.QUEUED: 1, State.UNKNOWN: 2}, subject="Under way")
    make_issue(
        Issue.State.FINISHED,
        subject="Long done",
        prepared_at=clock.now(),
        finished_at=clock.now(),
        recipients=10_000,
        tally={"sent": 9_990, "failed": 10},
    )
    page = editor.get(reverse(LIST)).text
    assert "5 of 6, 2 to decide" in page
    assert "10,000 of 10,000" in page


def test_the_list_costs_the_same_with_ten_issues_as_with_forty(editor: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert editor.get(reverse(LIST)).status_code == 200
        return len(captured)

    for _number in range(10):
        make_sending({State.SENT: 1})
    few = queries()
    for _number in range(30):
        make_sending({State.SENT: 1})
    assert queries() == few <= 16


def test_the_list_counts_no_delivery_of_an_issue_that_has_ended(editor: Client) -> None:
    issue = make_issue(
        Issue.State.FINISHED, prepared_at=clock.now(), frozen_at=clock.now(), recipients=2, tally={"sent": 2}
    )
    make_deliveries(issue, {State.SENT: 2})
    with CaptureQueriesContext(connection) as captured:
        editor.get(reverse(LIST))
    assert not [query["sql"] for query in captured if "newsletter_delivery" in query["sql"]]


# --- Writing ---------------------------------------------------------------------------------------------------


def test_an_issue_is_written_from_live_articles_in_their_order(editor: Client) -> None:
    first, second = make_live("Heart"), make_live("Head")
    data = posted(editor.get(reverse("admin:newsletter_issue_add")), subject="  A letter \r\n in spring ")
    data = with_article(with_article(data, second, position=2), first, position=1)
    assert editor.post(reverse("admin:newsletter_issue_add"), data).status_code == 302
    issue = Issue.objects.get()
    assert (issue.subject, issue.kind, issue.state) == ("A letter in spring", "by-hand", "draft")
    assert issue.key == f"by-hand:{issue.uuid}"
    assert issue.made_by
    assert issue.made_by.username == "editor"
    assert [item.publication for item in issue.items.all()] == [first, second]


def test_only_live_articles_are_found_and_taken(editor: Client) -> None:
    live = make_live("Knee pain")
    hidden = make_article("Knee pain, unpublished").publication
    found = editor.get(reverse("admin:newsletter_issue_articles"), {"term": "knee"}).json()["results"]
    assert [row["id"] for row in found] == [str(live.pk)]
    issue = make_draft()
    data = with_article(posted(editor.get(url("change", issue))), hidden)
    assert "no article that readers can see" in editor.post(url("change", issue), data).text
    assert not issue.items.exists()


def test_an_article_in_another_language_is_refused(editor: Client) -> None:
    issue = make_draft()
    data = with_article(posted(editor.get(url("change", issue))), make_live("Rücken", language="de"))
    assert "This article is in German, the issue in English." in editor.post(url("change", issue), data).text
    assert not issue.items.exists()


def test_the_same_article_twice_is_refused(editor: Client) -> None:
    article = make_live()
    issue = make_draft(article)
    response = editor.post(url("change", issue), with_article(posted(editor.get(url("change", issue))), article))
    assert response.status_code == 200
    assert issue.items.count() == 1


def test_a_draft_whose_article_was_withdrawn_can_still_be_saved(editor: Client) -> None:
    article = make_live()
    issue = make_draft(article)
    withdraw(publication=article, by=make_user(), reason="Wrong.")
    page = editor.get(url("change", issue))
    assert "not public any more" in page.text
    assert editor.post(url("change", issue), posted(page, subject="Other")).status_code == 302
    assert fresh(issue).subject == "Other"


def test_a_save_that_comes_second_is_refused_with_both_texts(editor: Client) -> None:
    issue = make_draft()
    page = editor.get(url("change", issue))
    editor.post(url("change", issue), posted(page, subject="Theirs"))
    response = editor.post(url("change", issue), posted(page, subject="Mine"))
    assert fresh(issue).subject == "Theirs"
    conflict = response.context["conflict"]
    assert conflict.saved_by == "Editor"
    assert [(d.theirs, d.yours) for d in conflict.differences] == [("Theirs", "Mine")]
    editor.post(url("change", issue), posted(page, subject="Mine") | {"_overwrite": str(conflict.version)})
    assert fresh(issue).subject == "Mine"


def test_a_save_without_a_version_is_refused(editor: Client) -> None:
    issue = make_draft()
    data = posted(editor.get(url("change", issue)), subject="Blind")
    del data["opened_version"]
    assert editor.post(url("change", issue), data).status_code == 200
    assert fresh(issue).subject != "Blind"


def test_what_was_sent_while_somebody_wrote_is_not_changed_and_their_words_are_kept(editor: Client) -> None:
    issue = make_draft()
    data = posted(editor.get(url("change", issue)), subject="Typed for an hour")
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.WAITING, starts_at=clock.now())
    response = editor.post(url("change", issue), data | {"_overwrite": str(issue.version)})
    assert "sent meanwhile" in response.text
    assert "Typed for an hour" in response.text
    assert fresh(issue).subject == "News about backs"


def test_what_is_not_written_any_more_is_watched_instead(editor: Client) -> None:
    for issue in (make_issue(), make_sending({State.SENT: 1}), make_issue(kind=Issue.Kind.DIGEST)):
        assert editor.get(url("change", issue)).headers["Location"] == url("progress", issue)
    draft = make_draft()
    assert editor.get(url("progress", draft)).headers["Location"] == url("change", draft)


def test_only_a_draft_is_deleted(editor: Client) -> None:
    draft, waiting = make_draft(make_live()), make_issue()
    Delivery.objects.create(about=draft, purpose="test", address="me@news.example", due_at=clock.now())
    assert editor.post(url("delete", draft), {"post": "yes"}).status_code == 302
    assert editor.post(url("delete", waiting), {"post": "yes"}).status_code == 403
    assert list(Issue.objects.all()) == [waiting]


# --- Looking and testing ---------------------------------------------------------------------------------------


def test_the_preview_shows_both_parts_and_frames_nothing_but_itself(editor: Client) -> None:
    issue = make_draft(make_live("Sore knees"))
    page = editor.get(url("preview", issue), {"width": "desktop", "scheme": "dark"})
    assert "News about backs" in page.text
    assert "Sore knees" in page.text  # the text part
    assert f'src="{url("preview_html", issue)}?scheme=dark" sandbox="allow-popups' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_html_part_may_style_itself_and_nothing_else(editor: Client) -> None:
    issue = make_draft(make_live("Sore knees"))
    response = editor.get(url("preview_html", issue))
    policy = response.headers["Content-Security-Policy"]
    assert "Sore knees" in response.text
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox allow-popups" in policy
    for word in ("script-src", "connect-src", "allow-scripts", "allow-same-origin"):
        assert word not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response.headers["Cache-Control"]


def test_inline_style_is_allowed_on_no_other_page(editor: Client) -> None:
    issue = make_draft()
    for view in ("change", "preview", "test"):
        assert "unsafe-inline" not in editor.get(url(view, issue)).headers["Content-Security-Policy"]


def test_an_issue_without_a_word_can_be_looked_at(editor: Client) -> None:
    issue = make_draft(subject="", opening="")
    assert editor.get(url("preview", issue)).status_code == 200
    assert editor.get(url("preview_html", issue)).status_code == 200


def test_dark_and_light_are_what_is_asked_for_whatever_the_browser_is() -> None:
    css = ":root { color-scheme: light dark; } @media (prefers-color-scheme: dark) { a { color: red } }"
    assert in_scheme(css, "dark") == ":root { color-scheme: dark; } @media (min-width: 0) { a { color: red } }"
    assert in_scheme(css, "light") == ":root { color-scheme: light; } @media (max-width: 0) { a { color: red } }"
    meta = '<meta name="color-scheme" content="light dark">'
    assert in_scheme(meta, "dark") == '<meta name="color-scheme" content="dark">'


def test_a_test_goes_to_ones_own_address_unless_another_is_typed(editor: Client) -> None:
    issue = make_draft()
    assert 'value="editor@news.example"' in editor.get(url("test", issue)).text
    response = editor.post(url("test", issue), {"address": " Me@News.Example "}, follow=True)
    assert "A test is on its way to me@news.example." in response.text
    delivery = Delivery.objects.get()
    assert (delivery.purpose, delivery.about, delivery.address) == ("test", issue, "me@news.example")


def test_a_test_to_what_is_no_address_is_refused(editor: Client) -> None:
    issue = make_draft()
    assert "This is not a mail address" in editor.post(url("test", issue), {"address": "me@@news"}).text
    assert not Delivery.objects.exists()


def test_tests_are_not_sent_without_end(editor: Client) -> None:
    issue = make_draft()
    for _number in range(TESTS_AN_HOUR + 1):
        response = editor.post(url("test", issue), {"address": "me@news.example"})
    assert "Wait a while." in response.text
    assert Delivery.objects.count() == TESTS_AN_HOUR


# --- Sending ---------------------------------------------------------------------------------------------------


def send(client: Client, issue: Issue, count: str, **more: Any) -> Any:
    return client.post(url("send", issue), {"version": fresh(issue).version, "count": count} | more, follow=True)


def test_the_page_says_how_many_get_it_and_why(publisher: Client) -> None:
    make_subscribers(3)
    make_subscribers(2, prefix="weekly", frequency="weekly")
    make_subscribers(4, prefix="german", language="de")
    page = publisher.get(url("send", make_draft())).text
    assert "5 people" in page
    assert "Every new article, and important corrections: 3" in page
    assert "Once a week: what is new, and important corrections: 2" in page


def test_the_right_number_starts_it_and_a_minute_is_left(publisher: Client) -> None:
    make_subscribers(2)
    issue = make_draft()
    response = send(publisher, issue, "2")
    assert response.redirect_chain[-1][0] == url("progress", issue)
    assert "Take it back" in response.text
    waiting = fresh(issue)
    assert waiting.state == Issue.State.WAITING
    assert waiting.starts_at
    assert waiting.starts_at - clock.now() > timedelta(seconds=50)
    assert waiting.sent_by
    assert waiting.sent_by.username == "publisher"


@pytest.mark.parametrize("typed", ["1", "3", "two", "", "-2"])
def test_another_number_starts_nothing(publisher: Client, typed: str) -> None:
    make_subscribers(2)
    issue = make_draft()
    send(publisher, issue, typed)
    assert fresh(issue).state == Issue.State.DRAFT


@pytest.mark.parametrize("typed", ["1,200", "1.200", "1 200", "1'200", "1\u202f200", " 1200 "])
def test_the_number_may_be_typed_as_people_write_it(publisher: Client, typed: str) -> None:
    make_subscribers(1200)
    issue = make_draft()
    send(publisher, issue, typed)
    assert fresh(issue).state == Issue.State.WAITING


def test_what_was_changed_since_the_page_was_opened_is_not_sent(publisher: Client) -> None:
    make_subscribers(1)
    issue = make_draft()
    Issue.objects.filter(pk=issue.pk).update(version=issue.version + 1)
    response = send(publisher, issue, "1", version=issue.version)
    assert "It was changed since this page was opened." in response.text
    assert fresh(issue).state == Issue.State.DRAFT
    assert f'name="version" value="{issue.version + 1}"' in response.text  # looked at now, it may be sent


def test_fifty_clicks_start_it_once(publisher: Client) -> None:
    make_subscribers(1)
    issue = make_draft()
    send(publisher, issue, "1")
    started = fresh(issue).starts_at
    assert "on its way already" in send(publisher, issue, "1").text
    assert fresh(issue).starts_at == started


def test_what_stands_in_the_way_is_named_and_nothing_is_sent(publisher: Client) -> None:
    make_subscribers(1)
    gone, unreviewed = make_live("Gone"), make_article("Unreviewed")
    publish_draft(unreviewed)
    issue = make_draft(gone, unreviewed.publication, subject=" ")
    withdraw(publication=gone, by=make_user(), reason="Wrong.")
    page = publisher.get(url("send", issue)).text
    assert "It has no subject." in page
    assert "“Gone” was withdrawn." in page
    assert "“Unreviewed” may not be mailed now" in page
    assert 'name="count"' not in page
    send(publisher, issue, "1")
    assert fresh(issue).state == Issue.State.DRAFT


def test_an_issue_without_a_word_or_larger_than_mail_programs_show_stands_in_its_own_way() -> None:
    assert find_obstacles(make_draft(opening="")) == ["It has no article and no opening text."]
    (large,) = find_obstacles(make_draft(opening=f"<p>{'Many words. ' * 9_000}</p>"))
    assert "too large" in large
    assert find_obstacles(make_draft()) == []


def test_what_is_too_large_is_not_sent_whatever_is_posted(publisher: Client) -> None:
    make_subscribers(1)
    issue = make_draft(opening=f"<p>{'Many words. ' * 9_000}</p>")
    assert "It is too large" in send(publisher, issue, "1").text
    assert fresh(issue).state == Issue.State.DRAFT


def test_an_editor_writes_and_does_not_send(editor: Client) -> None:
    make_subscribers(1)
    issue = make_draft()
    assert url("send", issue) not in editor.get(url("change", issue)).text
    assert editor.get(url("send", issue)).status_code == 403
    assert send(editor, issue, "1").status_code == 403
    assert fresh(issue).state == Issue.State.DRAFT


def test_taken_back_in_time_it_is_a_draft_again(publisher: Client) -> None:
    make_subscribers(1)
    issue = make_draft()
    send(publisher, issue, "1")
    response = publisher.post(url("take_back", issue), follow=True)
    assert "Nothing was sent." in response.text
    assert response.redirect_chain[-1][0] == url("change", issue)
    assert fresh(issue).state == Issue.State.DRAFT


def test_taken_back_too_late_it_says_so(publisher: Client) -> None:
    issue = make_sending({State.QUEUED: 1})
    response = publisher.post(url("take_back", issue), follow=True)
    assert "not possible any more" in response.text
    assert fresh(issue).state == Issue.State.SENDING


# --- Watching --------------------------------------------------------------------------------------------------

EVERY = {state: number for number, state in enumerate(State.values, start=1)}


def test_the_figures_add_up_to_the_snapshot_and_show_in_flight_as_one(editor: Client) -> None:
    issue = make_sending(EVERY)
    figures = editor.get(url("figures", issue)).json()["figures"]
    assert int(figures["flight"]) == EVERY[State.CLAIMED] + EVERY[State.DOT]
    rows = ("queued", "flight", "deferred", "sent", "failed", "unknown", "suppressed", "poisoned", "cancelled")
    assert sum(int(figures[name]) for name in rows) == int(figures["total"]) == issue.recipients


def test_the_page_shows_the_same_figures_without_a_script(editor: Client) -> None:
    issue = make_sending(EVERY)
    page = editor.get(url("progress", issue)).text
    for name, text in editor.get(url("figures", issue)).json()["figures"].items():
        if name != "percent":
            assert f'data-figure="{name}">{text}<' in page, name
    assert "<noscript>" in page


def test_figures_that_do_not_add_up_are_said_aloud(editor: Client) -> None:
    issue = make_sending({State.SENT: 2})
    assert "do not add up" not in editor.get(url("progress", issue)).text
    Issue.objects.filter(pk=issue.pk).update(recipients=3)
    assert "do not add up" in editor.get(url("progress", issue)).text


def test_the_figures_come_from_one_count_of_the_deliveries(editor: Client) -> None:
    issue = make_sending(EVERY)
    with CaptureQueriesContext(connection) as captured:
        editor.get(url("figures", issue))
    of_deliveries = [query["sql"] for query in captured if "newsletter_delivery" in query["sql"]]
    assert len([sql for sql in of_deliveries if "GROUP BY" in sql]) == 1
    assert len(of_deliveries) == 2  # the other is the last minute's pace


def test_the_pace_is_that_of_the_last_minute(editor: Client) -> None:
    now = clock.now()
    issue = make_sending({State.QUEUED: 60}, prepared_at=now - timedelta(minutes=30), recipients=600)
    make_deliveries(issue, {State.SENT: 30}, due_at=now - timedelta(seconds=20), settled_at=now - timedelta(seconds=20))
    make_deliveries(issue, {State.SENT: 510}, due_at=now - timedelta(minutes=5), settled_at=now - timedelta(minutes=5))
    progress = Progress(issue, issues.tally(issue))
    assert progress.per_minute == 30
    assert progress.time_left == "about 2 minutes"
    assert progress.percent == 90


def test_what_was_taken_back_before_anything_was_sent_says_so(editor: Client) -> None:
    issue = make_issue(Issue.State.CANCELLED, kind=Issue.Kind.ARTICLE, reason="Taken back in time.")
    page = editor.get(url("progress", issue)).text
    assert "Nothing was sent." in page
    assert "Taken back in time." in page
    assert "<table" not in page


def test_nothing_is_sent_per_minute_while_an_issue_waits_or_rests(editor: Client) -> None:
    issue = make_sending({State.SENT: 5, State.QUEUED: 5})
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.PAUSED)
    answer = editor.get(url("figures", issue)).json()
    assert answer["figures"]["rate"] == NOTHING
    assert not answer["running"]


def test_a_cancelled_issue_is_watched_until_all_that_was_left_is_counted(editor: Client) -> None:
    issue = make_sending({State.SENT: 5, State.QUEUED: 5}, starts_at=clock.now())
    issues.cancel(issue=issue, reason="Over.")
    assert editor.get(url("figures", issue)).json()["running"]
    while issues.sweep_cancelled():
        pass
    answer = editor.get(url("figures", issue)).json()
    assert not answer["running"]
    assert answer["figures"]["cancelled"] == "5"


def test_a_hundred_percent_is_said_of_nothing_that_is_not_done() -> None:
    issue = make_sending({State.QUEUED: 1})
    almost = dict.fromkeys(State.values, 0) | {State.SENT: 999, State.QUEUED: 1}
    assert Progress(issue, almost).percent == 99


def test_the_countdown_is_told_to_the_script(editor: Client) -> None:
    issue = make_issue(starts_at=clock.now() + timedelta(seconds=45))
    answer = editor.get(url("figures", issue)).json()
    assert 40 <= answer["starts_in"] <= 45
    assert answer["state"] == "waiting"


def test_what_was_suppressed_is_counted_by_its_reason(editor: Client) -> None:
    issue = make_sending({})
    make_deliveries(issue, {State.SUPPRESSED: 3}, reply="Paused before it could be sent.")
    make_deliveries(issue, {State.SUPPRESSED: 1}, reply="The article was withdrawn.")
    page = editor.get(url("progress", issue)).text
    assert "<li>Paused before it could be sent. <strong>3</strong></li>" in page
    assert "<li>The article was withdrawn. <strong>1</strong></li>" in page


def test_where_no_sender_runs_the_page_says_how_to_start_one(editor: Client) -> None:
    issue, now = make_sending({State.QUEUED: 1}), clock.now()
    assert "manage.py sender" in editor.get(url("progress", issue)).text
    Sender.objects.create(host="here", pid=1, started_at=now, leased_until=now + timedelta(minutes=1))
    assert "manage.py sender" not in editor.get(url("progress", issue)).text


def test_a_publisher_pauses_goes_on_and_cancels(publisher: Client) -> None:
    issue = make_sending({State.QUEUED: 2, State.SENT: 1})
    assert "Paused by Publisher." in publisher.post(url("pause", issue), follow=True).text
    assert fresh(issue).state == Issue.State.PAUSED
    publisher.post(url("resume", issue))
    assert fresh(issue).state == Issue.State.SENDING
    page = publisher.get(url("cancel", issue)).text
    assert "Handed over already: 1." in page
    assert "Still to go: 2." in page
    assert "Say why." in publisher.post(url("cancel", issue), {"reason": " "}).text
    publisher.post(url("cancel", issue), {"reason": "The second part was wrong."})
    assert (fresh(issue).state, fresh(issue).reason) == ("cancelled", "The second part was wrong.")


def test_a_button_pressed_on_an_old_page_asks_the_state_again(publisher: Client) -> None:
    issue = make_sending({State.QUEUED: 1})
    issues.cancel(issue=issue, reason="Over.")
    for view in ("pause", "resume", "take_back"):
        assert "not possible any more" in publisher.post(url(view, issue), follow=True).text
    assert fresh(issue).state == Issue.State.CANCELLED


@pytest.mark.parametrize("view", ["take_back", "pause", "resume"])
def test_opening_a_button_does_nothing(publisher: Client, view: str) -> None:
    issue = make_sending({State.QUEUED: 1})
    assert publisher.get(url(view, issue)).status_code == 405
    assert fresh(issue).state == Issue.State.SENDING


# --- Deciding --------------------------------------------------------------------------------------------------


def decide(client: Client, issue: Issue, state: str, decision: str, delivery: Any) -> Any:
    data = {"decision": decision, "delivery": delivery}
    return client.post(url("deliveries", issue, state), data, follow=True)


def states_of(issue: Issue) -> dict[str, int]:
    return {state: count for state, count in issues.tally(issue).items() if count}


def test_each_failure_is_listed_with_the_relays_answer(publisher: Client) -> None:
    issue = make_sending({})
    make_deliveries(issue, {State.FAILED: 1}, smtp_code=550, reply="5.1.1 No such user", settled_at=clock.now())
    page = publisher.get(url("deliveries", issue, "failed")).text
    assert "<strong>550</strong> 5.1.1 No such user" in page
    assert "failed1@readers.example" in page


def test_addresses_are_hidden_from_those_who_may_not_see_subscribers(editor: Client) -> None:
    issue = make_sending({})
    make_deliveries(issue, {State.FAILED: 1}, reply="5.1.1 <failed1@readers.example>: no such user")
    page = editor.get(url("deliveries", issue, "failed")).text
    assert "readers.example" not in page
    assert "5.1.1 &lt;…&gt;: no such user" in page
    assert f">{Delivery.objects.get().pk}<" in page


def test_a_long_list_is_paged_and_leaves_nobody_out(publisher: Client) -> None:
    issue = make_sending({State.FAILED: PAGE + 30, State.SENT: 5})
    rows = list(issue.deliveries.filter(state=State.FAILED).order_by("due_at", "pk"))
    first = publisher.get(url("deliveries", issue, "failed"))
    second = publisher.get(url("deliveries", issue, "failed") + first.context["next_page"])
    assert first.context["rows"] + second.context["rows"] == rows
    assert not second.context["next_page"]


@pytest.mark.parametrize("after", ["?after=nonsense&id=1", "?after=2026-13-45T00:00:00%2B00:00&id=1", "?after=&id=x"])
def test_a_place_in_the_list_that_is_none_is_its_beginning(publisher: Client, after: str) -> None:
    issue = make_sending({State.FAILED: 2})
    assert len(publisher.get(url("deliveries", issue, "failed") + after).context["rows"]) == 2


def test_only_the_states_that_somebody_looks_through_have_a_list(publisher: Client) -> None:
    issue = make_sending({State.SENT: 1})
    assert publisher.get(url("deliveries", issue, "sent")).status_code == 404
    assert publisher.get(url("deliveries", issue, "nonsense")).status_code == 404


def test_one_that_is_unknown_is_counted_as_sent_and_the_record_says_by_whom(publisher: Client) -> None:
    issue = make_sending({State.UNKNOWN: 2})
    row = issue.deliveries.order_by("pk")[0]
    decide(publisher, issue, "unknown", "sent", row.pk)
    assert states_of(issue) == {State.SENT: 1, State.UNKNOWN: 1}
    row.refresh_from_db()
    assert (row.state, row.reply) == (State.SENT, "Counted as sent by Publisher.")


def test_all_that_are_unknown_are_sent_again(publisher: Client) -> None:
    issue = make_sending({State.UNKNOWN: 3, State.SENT: 1})
    assert "Send again: 3 mails." in decide(publisher, issue, "unknown", "again", "all").text
    assert states_of(issue) == {State.QUEUED: 3, State.SENT: 1}


@pytest.mark.parametrize("state", ["failed", "poisoned"])
def test_what_failed_or_was_set_aside_is_tried_again(publisher: Client, state: str) -> None:
    issue = make_sending({state: 1})
    decide(publisher, issue, state, "again", "all")
    assert states_of(issue) == {State.QUEUED: 1}


def test_a_finished_issue_is_sent_from_again_and_its_sum_holds(publisher: Client) -> None:
    issue = make_sending({State.UNKNOWN: 1, State.SENT: 2})
    issues.finish_done()
    assert fresh(issue).state == Issue.State.FINISHED
    decide(publisher, issue, "unknown", "sent", "all")
    assert (fresh(issue).tally or {})["sent"] == 3
    assert sum(issues.tally(fresh(issue)).values()) == fresh(issue).recipients


def test_what_was_decided_meanwhile_is_not_decided_again(publisher: Client) -> None:
    issue = make_sending({State.UNKNOWN: 1})
    row = issue.deliveries.get()
    decide(publisher, issue, "unknown", "sent", row.pk)
    assert "Nothing was changed" in decide(publisher, issue, "unknown", "again", row.pk).text
    assert states_of(issue) == {State.SENT: 1}


def test_a_delivery_of_another_issue_is_not_decided_here(publisher: Client) -> None:
    issue, other = make_sending({State.UNKNOWN: 1}), make_sending({State.UNKNOWN: 1})
    decide(publisher, issue, "unknown", "sent", other.deliveries.get().pk)
    assert states_of(other) == {State.UNKNOWN: 1}


def test_nothing_of_a_cancelled_issue_is_sent_again(publisher: Client) -> None:
    issue = make_sending({State.UNKNOWN: 2, State.FAILED: 1})
    issues.cancel(issue=issue, reason="Over.")
    assert "Send again" not in publisher.get(url("deliveries", issue, "unknown")).text
    assert decide(publisher, issue, "unknown", "again", "all").status_code == 404
    assert decide(publisher, issue, "failed", "again", "all").status_code == 404
    decide(publisher, issue, "unknown", "sent", "all")
    assert states_of(issue) == {State.SENT: 2, State.FAILED: 1}


def test_who_did_what_to_an_issue_is_on_record(publisher: Client) -> None:
    make_subscribers(1)
    issue = make_draft()
    send(publisher, issue, "1")
    publisher.post(url("take_back", issue))
    page = publisher.get(url("history", issue)).text
    assert "Sending was started." in page
    assert "Taken back. Nothing was sent." in page


def test_a_decision_that_is_none_of_the_states_is_not_found(publisher: Client) -> None:
    issue = make_sending({State.FAILED: 1, State.SUPPRESSED: 1})
    assert decide(publisher, issue, "failed", "sent", "all").status_code == 404
    assert decide(publisher, issue, "suppressed", "again", "all").status_code == 404
    assert states_of(issue) == {State.FAILED: 1, State.SUPPRESSED: 1}


def test_an_editor_sees_and_does_not_decide(editor: Client) -> None:
    issue = make_sending({State.UNKNOWN: 1})
    assert 'name="decision"' not in editor.get(url("deliveries", issue, "unknown")).text
    assert decide(editor, issue, "unknown", "sent", "all").status_code == 403
    assert states_of(issue) == {State.UNKNOWN: 1}


# --- Alarms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["admin:index", LIST])
def test_an_alarm_is_shown_until_a_publisher_dismisses_it(publisher: Client, place: str) -> None:
    raise_alarm("budget", "Too many sign-ups.")
    assert "Too many sign-ups." in publisher.get(reverse(place)).text
    data = {"key": "budget", "at": Alarm.objects.get().at.isoformat()}
    publisher.post(reverse("admin:newsletter_issue_dismiss"), data)
    assert "Too many sign-ups." not in publisher.get(reverse(place)).text


def test_what_the_page_sends_dismisses_the_alarm_that_it_shows(publisher: Client) -> None:
    raise_alarm("budget", "Too many sign-ups.")
    page = publisher.get(reverse("admin:index")).text
    fields = page.split('action="/admin/newsletter/issue/alarms/dismiss/"')[1].split("</form>")[0]
    data = dict(part.split('" value="') for part in (field.split('">')[0] for field in fields.split('name="')[1:]))
    response = publisher.post(reverse("admin:newsletter_issue_dismiss"), data)
    assert response.headers["Location"] == reverse("admin:index")
    assert not Alarm.objects.exists()


def test_an_alarm_that_says_something_new_is_not_dismissed_unread(publisher: Client) -> None:
    raise_alarm("budget", "Too many sign-ups.")
    read = Alarm.objects.get().at.isoformat()
    Alarm.objects.update(at=clock.now() + timedelta(seconds=1), sentence="Far too many.")
    response = publisher.post(reverse("admin:newsletter_issue_dismiss"), {"key": "budget", "at": read}, follow=True)
    assert "Far too many." in response.text


@pytest.mark.parametrize("at", ["", "nonsense", "2026-13-45T00:00:00+00:00", "2026-01-01T00:00:00"])
def test_an_alarm_is_dismissed_by_its_time_only(publisher: Client, at: str) -> None:
    raise_alarm("budget", "Too many sign-ups.")
    publisher.post(reverse("admin:newsletter_issue_dismiss"), {"key": "budget", "at": at})
    assert Alarm.objects.exists()


def test_an_editor_reads_alarms_and_a_writer_does_not(client: Client) -> None:
    raise_alarm("budget", "Too many sign-ups.")
    log_in(client, "Editor")
    page = client.get(reverse("admin:index")).text
    assert "Too many sign-ups." in page
    assert "alarms/dismiss" not in page
    log_in(client, "Writer")
    assert "Too many sign-ups." not in client.get(reverse("admin:index")).text


def test_mail_under_way_is_on_the_start_page(editor: Client) -> None:
    make_sending({State.SENT: 1, State.QUEUED: 1}, subject="Winter letter")
    make_draft(subject="Not yet")
    page = editor.get(reverse("admin:index")).text
    assert "Winter letter" in page
    assert "Sending · 1 of 2" in page
    assert "Not yet" not in page
