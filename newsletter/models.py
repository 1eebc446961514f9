"""Who gets mail (subscribers, what they consented to, whom never to write to again), what is sent (issues), and
the one row about each mail (deliveries) that is the only truth about it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from newsletter import clock
from publishing.constraints import Immutable
from publishing.models import Edition, Publication
from publishing.richtext import RichTextField

User = settings.AUTH_USER_MODEL


# --- People ----------------------------------------------------------------------------------------------------


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def deliverable(self, at: datetime) -> SubscriberQuerySet:
        """Whom bulk mail may be sent to at this time."""
        return self.filter(status=Subscriber.Status.CONFIRMED).filter(
            Q(paused_until=None) | Q(paused_until__lte=at.date())
        )


class Subscriber(models.Model):
    """A person who asked for mail. Only `subscribing.py` changes the status."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Not confirmed yet")
        CONFIRMED = "confirmed", _("Confirmed")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        BOUNCED = "bounced", _("Address does not work")
        COMPLAINED = "complained", _("Reported as spam")

    class Frequency(models.TextChoices):
        EVERY = "every", _("Every new article, and important corrections")
        WEEKLY = "weekly", _("Once a week: what is new, and important corrections")
        CORRECTIONS = "corrections", _("Only important corrections")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # As addresses.tidy() writes it: one row a person, however they type it.
    address = models.EmailField(_("address"), unique=True)
    address_hmac = models.CharField(max_length=64, db_index=True, editable=False)
    language = models.CharField(_("language"), max_length=12, default="en")
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.PENDING)
    frequency = models.CharField(_("gets"), max_length=12, choices=Frequency, default=Frequency.EVERY)
    # Whether the person has turned the choice of topics on; the topics are rows of Topic.
    has_topics = models.BooleanField(_("only some topics"), default=False)
    paused_until = models.DateField(_("paused until"), null=True, blank=True)
    signed_up_at = models.DateTimeField(_("signed up"), default=clock.now)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    # When mail stopped: unsubscribed, bounced or complained.
    left_at = models.DateTimeField(_("left"), null=True, blank=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-signed_up_at", "-pk"]
        indexes = [
            models.Index(fields=["status", "signed_up_at"], name="subscriber_status"),
            # Few among many: whether a language has any is asked every few seconds, and whether it has none too.
            models.Index(fields=["language"], condition=Q(frequency="weekly"), name="subscriber_weekly"),
        ]
        permissions: ClassVar = [
            ("import_subscriber", "Can import subscribers"),
            ("export_subscriber", "Can export subscribers"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="confirmed") | (Q(confirmed_at__isnull=False) & Q(left_at=None)),
                name="confirmed_subscriber_has_date",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["unsubscribed", "bounced", "complained"]) | Q(left_at__isnull=False),
                name="subscriber_who_left_has_date",
            ),
        ]

    def __str__(self) -> str:
        return self.address


class Topic(models.Model):
    """A tag that a subscriber wants to read about, by its slug: a renamed or merged tag is found by its old one."""

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="topics")
    slug = models.SlugField(max_length=100, allow_unicode=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "slug"], name="topic_once_a_subscriber")]

    def __str__(self) -> str:
        return self.slug


class SignUp(models.Model):
    """The form as it was sent, until the sender looks at it: the page does the same for every address."""

    address = models.EmailField()
    language = models.CharField(max_length=12)
    words_version = models.CharField(max_length=20)
    network = models.CharField(max_length=50)
    # A weak sign of a robot (the field that people do not see was filled in).
    suspicious = models.BooleanField(default=False)
    at = models.DateTimeField(default=clock.now)
    # Later than `at` where it is held because too many came at once.
    due_at = models.DateTimeField(default=clock.now, db_index=True)


class Consent(models.Model):
    """The record of what a person agreed to and took back. Rows are only added.

    It names the person by the HMAC of the address, so that it can outlive an erasure. What was asked for and never
    confirmed is deleted with the subscriber.
    """

    class Event(models.TextChoices):
        ASKED = "asked", _("Asked for mail")
        CONFIRMED = "confirmed", _("Confirmed")
        IMPORTED = "imported", _("Imported as confirmed")
        CHANGED = "changed", _("Changed what they get")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        BOUNCED = "bounced", _("Stopped: the address does not work")
        COMPLAINED = "complained", _("Stopped: reported as spam")
        LIFTED = "lifted", _("Stop lifted by an editor")
        EXPORTED = "exported", _("Took their data")
        ERASED = "erased", _("Erased")

    class Method(models.TextChoices):
        FORM = "form", _("Form on a page")
        LINK = "link", _("Link in a mail")
        ONE_CLICK = "one-click", _("One-click button of the mail program")
        MAIL = "mail", _("Report by mail")
        WEBHOOK = "webhook", _("Report by the mail provider")
        IMPORT = "import", _("Imported file")
        ADMIN = "admin", _("An editor")

    address_hmac = models.CharField(max_length=64, db_index=True)
    event = models.CharField(max_length=12, choices=Event)
    method = models.CharField(max_length=10, choices=Method)
    words = models.TextField(blank=True)
    words_version = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=12, blank=True)
    # /24 of IPv4, /56 of IPv6.
    network = models.CharField(max_length=50, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["event", "at"], name="consent_event")]
        constraints = [
            Immutable(
                name="consent_immutable",
                deletable_if="NOT EXISTS (SELECT 1 FROM newsletter_consent c "
                "WHERE c.address_hmac = OLD.address_hmac AND c.event <> 'asked')",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()}, {self.at:%Y-%m-%d %H:%M}"


class Suppression(models.Model):
    """Whom not to write to although no subscriber is left: the person was erased."""

    class Reason(models.TextChoices):
        ERASED = "erased", _("Erased")
        BOUNCED = "bounced", _("Erased; the address did not work")
        COMPLAINED = "complained", _("Erased; had reported mail as spam")

    address_hmac = models.CharField(max_length=64, primary_key=True)
    reason = models.CharField(max_length=12, choices=Reason)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.get_reason_display()


class SubscriberFile(models.Model):
    """A file of subscribers between its dry run and its import, for an hour at most."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    text = models.TextField()
    # Where the consent of the people in it comes from, in the words of who imports them.
    consent = models.CharField(max_length=300)
    by = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


# --- What is sent ----------------------------------------------------------------------------------------------


class Issue(models.Model):
    """One mailing. Its recipients are frozen as deliveries before the first is sent (reliability.md, I1)."""

    class Kind(models.TextChoices):
        ARTICLE = "article", _("New article")
        CORRECTION = "correction", _("Correction")
        DIGEST = "digest", _("Weekly digest")
        BY_HAND = "by-hand", _("Written by hand")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        WAITING = "waiting", _("Waiting to start")
        PREPARING = "preparing", _("Taking down the recipients")
        SENDING = "sending", _("Sending")
        PAUSED = "paused", _("Paused")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.BY_HAND, editable=False)
    # What it is about, once: article:<publication>, correction:<edition>, digest:<language>:<year>-W<week>, and
    # by-hand:<uuid>. Two planners cannot both make it.
    key = models.CharField(max_length=120, unique=True, editable=False)
    language = models.CharField(_("language"), max_length=12, default="en")
    subject = models.CharField(_("subject"), max_length=150, blank=True)
    opening = RichTextField(_("opening text"), blank=True, help_text=_("A few sentences above the articles."))
    version = models.PositiveIntegerField(default=1, editable=False)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT, editable=False)
    # Why it is paused or was cancelled, for the desk.
    reason = models.CharField(max_length=300, blank=True, editable=False)
    # Until then a click takes it back.
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True, editable=False)
    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)
    prepared_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When too many mails had come back. Who lets it go on has accepted what came back of those sent until then.
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The last subscriber whose delivery was made: an interrupted snapshot goes on from here.
    cursor = models.BigIntegerField(default=0, editable=False)
    recipients = models.PositiveIntegerField(_("recipients"), default=0, editable=False)
    # How many deliveries are in each state, once it is finished: lists need not count a million rows.
    tally = models.JSONField(null=True, blank=True, editable=False)

    made_at = models.DateTimeField(_("made"), default=clock.now, editable=False)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    sent_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")

    publications = models.ManyToManyField(Publication, through="IssueItem", related_name="+")

    class Meta:
        verbose_name = _("issue")
        verbose_name_plural = _("issues")
        ordering = ["-made_at", "-pk"]
        indexes = [models.Index(fields=["state", "starts_at"], name="issue_state")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "finished"]) | Q(prepared_at__isnull=False),
                name="issue_is_sent_when_prepared",
            )
        ]
        permissions: ClassVar = [("send_issue", "Can send, pause and cancel an issue")]

    def __str__(self) -> str:
        return self.subject or str(self.get_kind_display())

    def get_absolute_url(self) -> str:
        """The page of this issue in the public archive."""
        return reverse("newsletter:issue", args=[self.uuid])


class IssueItem(models.Model):
    """A publication in an issue, with the edition that was the reason."""

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="items")
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="+", verbose_name=_("article"))
    edition = models.ForeignKey(Edition, models.PROTECT, null=True, blank=True, related_name="+")
    correction = models.BooleanField(default=False)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["issue", "publication"], name="publication_once_an_issue")]

    def __str__(self) -> str:
        return str(self.publication)


class Delivery(models.Model):
    """One mail to one person. It exists before the mail does, and its state is the only truth about it.

    `queued → claimed → dot → sent | deferred | failed | unknown | suppressed | poisoned`, and `cancelled`. *dot* is
    committed before the final dot is written to the relay; a row found in it after a crash is *unknown*: it may have
    been accepted. Only `deliveries.py` changes a state.
    """

    class Purpose(models.TextChoices):
        ISSUE = "issue", _("Issue")
        CONFIRM = "confirm", _("Asks to confirm")
        REMIND = "remind", _("Reminds to confirm")
        ALREADY = "already", _("Says that the address is subscribed already")
        EXPORT = "export", _("Link to their data")
        ERASE = "erase", _("Link to erase them")
        TEST = "test", _("Test of an issue")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        CLAIMED = "claimed", _("In flight")
        DOT = "dot", _("In flight")
        DEFERRED = "deferred", _("Will be tried again")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Perhaps sent")
        SUPPRESSED = "suppressed", _("Not sent, for a reason")
        POISONED = "poisoned", _("Set aside")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN: ClassVar = (State.QUEUED, State.CLAIMED, State.DOT, State.DEFERRED)

    issue = models.ForeignKey(Issue, models.PROTECT, null=True, related_name="deliveries", db_index=False)
    # Kept when the person is erased: what was sent still counts.
    subscriber = models.ForeignKey(Subscriber, models.SET_NULL, null=True, related_name="deliveries")
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.ISSUE)
    # The issue that a test shows.
    about = models.ForeignKey(Issue, models.CASCADE, null=True, related_name="+", db_index=False)
    address = models.EmailField(blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    due_at = models.DateTimeField()
    # The sender that holds it, whose ID is the fencing token: a sender that lost its lease changes nothing.
    worker = models.BigIntegerField(null=True)
    # How often its making was begun and ended in a crash, and how often the relay was asked.
    started = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    # How often nobody could say whether the relay had taken it.
    uncertain = models.PositiveSmallIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    # What the relay said last (RFC 5321 reply code), or why it was not asked.
    smtp_code = models.PositiveSmallIntegerField(null=True)
    reply = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["issue", "state", "due_at", "id"], name="delivery_queue"),
            models.Index(fields=["worker"], condition=Q(worker__isnull=False), name="delivery_worker"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["issue", "subscriber"], name="one_delivery_a_person_and_issue"),
            models.CheckConstraint(
                condition=(Q(purpose="issue") & Q(issue__isnull=False)) | (~Q(purpose="issue") & Q(issue=None)),
                name="delivery_of_an_issue_has_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({self.get_state_display()})"


class Sender(models.Model):
    """A sender process and its lease. Its ID only rises: it is the fencing token of what the process does."""

    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    leased_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.pk}@{self.host}"


class Pace(models.Model):
    """When the next mail may go out: to anybody (key empty), or to a domain that asked us to slow down."""

    key = models.CharField(max_length=255, primary_key=True)
    next_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.key or "*"


class Allowance(models.Model):
    """How often something happened in a window of time: the caps of the sign-up form."""

    key = models.CharField(max_length=120, primary_key=True)
    window_ends = models.DateTimeField()
    used = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.key}: {self.used}"


class Bounce(models.Model):
    """A mail came back, or its reader called it spam. The first report of each kind counts."""

    class Kind(models.TextChoices):
        HARD = "hard", _("Address does not work")
        SOFT = "soft", _("Could not be delivered for now")
        COMPLAINT = "complaint", _("Reported as spam")

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="bounces")
    subscriber = models.ForeignKey(Subscriber, models.SET_NULL, null=True, related_name="bounces")
    kind = models.CharField(max_length=10, choices=Kind)
    # RFC 3463, for example 5.1.1.
    status = models.CharField(max_length=12, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "kind"], name="bounce_once_a_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.status}".strip()


class Alarm(models.Model):
    """Something that a person must look at, shown on the desk until it is dismissed."""

    key = models.CharField(max_length=120, primary_key=True)
    sentence = models.CharField(max_length=500)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.sentence


def raise_alarm(key: str, sentence: Any) -> None:
    """Put a sentence on the desk, once per key; a later one replaces it."""
    Alarm.objects.update_or_create(key=key, defaults={"sentence": str(sentence)[:500], "at": clock.now()})
