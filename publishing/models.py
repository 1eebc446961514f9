"""What the public reads (publications, editions, mentions), what is on record (sign-offs, snapshots, redactions),
and the reference data that documents draw on (contributors, citations, the site's settings)."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager
from taggit.models import ItemBase, Tag

from images.models import Picture
from publishing.constraints import Immutable
from publishing.documents import Document, Origin, Person, PictureValue, Source, Urgency
from publishing.richtext import RichTextField

User = settings.AUTH_USER_MODEL


class Level(models.TextChoices):
    MAJOR = "major", _("Major")
    MINOR = "minor", _("Minor")


class Trust(models.TextChoices):
    """What a page may say of its review (design rule 3)."""

    REVIEWED = "reviewed", _("Medically reviewed")
    MINOR_CHANGES = "minor-changes", _("Medically reviewed, minor changes since")
    OVERDUE = "overdue", _("Review overdue")
    NOT_REVIEWED = "not-reviewed", _("Not medically reviewed")


class BodyArea(models.TextChoices):
    BACK_AND_SPINE = "back-and-spine", _("Back and spine")
    NERVES_AND_BRAIN = "nerves-and-brain", _("Nerves and brain")
    JOINTS_AND_MUSCLES = "joints-and-muscles", _("Joints and muscles")
    HEART_AND_LUNGS = "heart-and-lungs", _("Heart and lungs")
    STOMACH_AND_BOWEL = "stomach-and-bowel", _("Stomach and bowel")
    KIDNEYS_AND_BLADDER = "kidneys-and-bladder", _("Kidneys and bladder")
    SKIN = "skin", _("Skin")
    EARS_EYES_NOSE_AND_THROAT = "ears-eyes-nose-and-throat", _("Ears, eyes, nose and throat")
    MIND = "mind", _("Mind")
    WHOLE_BODY = "whole-body", _("Whole body")


# --- Reference data: live when saved ---------------------------------------------------------------------------


class Contributor(models.Model):
    """An author or a medical reviewer. Documents keep the name and credentials as they were."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("full name"), max_length=120)
    slug = models.SlugField(_("address"), unique=True, help_text=_("The last part of the profile's web address."))
    job_title = models.CharField(_("what they do"), max_length=120, help_text=_("For example: Spine surgeon."))
    credentials = models.CharField(
        _("credentials"),
        max_length=120,
        blank=True,
        help_text=_("Written after the name, for example: MD, FRCP."),
    )
    medical = models.BooleanField(
        _("medically qualified"),
        default=False,
        help_text=_("Only medically qualified people can sign a review."),
    )
    credentials_until = models.DateField(
        _("credentials checked until"),
        null=True,
        blank=True,
        help_text=_("A review cannot be signed after this day."),
    )
    bio = RichTextField(_("about"), blank=True, help_text=_("A paragraph or two, in the third person."))
    photo = models.ForeignKey(Picture, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("photo"))
    website = models.URLField(_("website or ORCID"), blank=True)
    user = models.OneToOneField(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="contributor",
        verbose_name=_("account"),
        help_text=_("The log-in this person uses, if they have one. A reviewer needs one to sign."),
    )

    class Meta:
        verbose_name = _("contributor")
        verbose_name_plural = _("contributors")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(medical=False) | ~Q(credentials=""),
                name="medical_contributor_has_credentials",
                violation_error_message=_("Write the credentials of a medically qualified person."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.credentials}" if self.credentials else self.name

    def get_absolute_url(self) -> str:
        return reverse("blog:person-detail", args=[self.slug])

    def may_sign_on(self, day: date) -> bool:
        return self.medical and (self.credentials_until is None or self.credentials_until >= day)

    def value(self) -> Person:
        return Person(uuid=str(self.uuid), name=self.name, credentials=self.credentials, medical=self.medical)


class Citation(models.Model):
    """A source of evidence, known by its key on the whole site."""

    class Kind(models.TextChoices):
        GUIDELINE = "guideline", _("Guideline")
        REVIEW = "review", _("Systematic review")
        TRIAL = "trial", _("Trial")
        STUDY = "study", _("Other study")
        EXPERT = "expert", _("Expert text")
        WEB = "web", _("Health information page")

    key = models.CharField(
        _("key"),
        max_length=60,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", _("Use small letters, digits and hyphens."))],
        help_text=_("Short and lasting, for example nice-ng59. Texts cite it as [@nice-ng59]."),
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    title = models.CharField(_("title"), max_length=300)
    authors = models.CharField(_("authors"), max_length=300, blank=True)
    publisher = models.CharField(_("publisher or journal"), max_length=200, blank=True)
    year = models.PositiveSmallIntegerField(
        _("year"), null=True, blank=True, validators=[MinValueValidator(1800), MaxValueValidator(2200)]
    )
    url = models.URLField(_("web address"), max_length=500, blank=True)
    doi = models.CharField(
        _("DOI"),
        max_length=200,
        blank=True,
        validators=[RegexValidator(r"^10\.\d{4,9}/\S+$", _("A DOI starts with 10."))],
    )
    pmid = models.CharField(
        _("PubMed ID"), max_length=12, blank=True, validators=[RegexValidator(r"^\d+$", _("Digits only."))]
    )
    checked_on = models.DateField(_("last checked"), null=True, blank=True)

    class Meta:
        verbose_name = _("citation")
        verbose_name_plural = _("citations")
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(url="") | ~Q(doi="") | ~Q(pmid=""),
                name="citation_can_be_found",
                violation_error_message=_("Give a web address, a DOI or a PubMed ID, so that readers can find it."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.title}"

    def value(self) -> Source:
        return Source(
            key=self.key,
            kind=self.kind,
            title=self.title,
            authors=self.authors,
            publisher=self.publisher,
            year=self.year or 0,
            url=self.url,
            doi=self.doi,
            pmid=self.pmid,
            checked=self.checked_on.isoformat() if self.checked_on else "",
        )


class SiteSettings(models.Model):
    """The one row of settings that editors change."""

    class Strictness(models.TextChoices):
        OPEN = "open", _("Unreviewed pages may be published and found by search engines")
        LABELLED = (
            "labelled",
            _("Unreviewed pages may be published, but search engines are asked not to list them"),
        )
        STRICT = "strict", _("Only reviewed articles and conditions may be published")

    name = models.CharField(_("name of the site"), max_length=80, default="Bedside")
    tagline = models.CharField(_("what it is, in one sentence"), max_length=200, blank=True)
    publisher = models.CharField(_("publisher"), max_length=120, blank=True, help_text=_("Who is responsible for it."))
    contact = models.EmailField(_("contact address"), blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("Two letters, for example GB."))
    emergency_number = models.CharField(
        _("emergency number"), max_length=20, default="112", help_text=_("Shown in every emergency card.")
    )
    sender_name = models.CharField(_("sender of mail: name"), max_length=80, blank=True)
    sender_address = models.EmailField(_("sender of mail: address"), blank=True)
    strictness = models.CharField(_("reviews"), max_length=10, choices=Strictness, default=Strictness.LABELLED)
    review_months = models.PositiveSmallIntegerField(
        _("a review holds for (months)"), default=24, validators=[MinValueValidator(1), MaxValueValidator(36)]
    )
    notice = models.CharField(
        _("notice on every page"),
        max_length=300,
        blank=True,
        help_text=_("For example on a demonstration site."),
    )

    class Meta:
        verbose_name = _("site settings")
        verbose_name_plural = _("site settings")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="site_settings_is_one_row")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def load(cls) -> SiteSettings:
        """The settings, or the defaults where nobody has saved any. Reads only."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class Generation(models.Model):
    """One row with a number that rises whenever what the public sees may have changed."""

    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="generation_is_one_row")]


# --- The address and what it shows -----------------------------------------------------------------------------


class PublicationQuerySet(models.QuerySet["Publication"]):
    def live(self) -> PublicationQuerySet:
        """What the public may see now."""
        return self.filter(live__isnull=False)

    def listed(self) -> PublicationQuerySet:
        """Live publications, newest first, with no more than a list needs."""
        return self.live().select_related("live", "picture").order_by("-listed_at", "-pk")

    def of_kind(self, kind: str) -> PublicationQuerySet:
        return self.filter(kind=kind)


class TaggedPublication(ItemBase):
    tag = models.ForeignKey(Tag, models.PROTECT, related_name="tagged_publications")
    content_object = models.ForeignKey("Publication", models.CASCADE, related_name="tagged")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "content_object"], name="tag_once_a_publication")]


class Publication(models.Model):  # type: ignore[django-manager-missing]  # taggit has no types
    """The public address of an article, condition or page: made with its draft, never re-used."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20, editable=False)
    slug = models.SlugField(_("address"), max_length=120)
    language = models.CharField(_("language"), max_length=12, default="en")
    live = models.OneToOneField("Edition", models.PROTECT, null=True, blank=True, related_name="live_publication")
    first_published = models.DateTimeField(_("first published"), null=True, blank=True)
    # Of an article that this site published before it came here: publish() takes it over as first_published.
    originally_published = models.DateTimeField(_("published before"), null=True, blank=True)
    # Brought back from an export: what was published until then is no news to anybody's readers here.
    restored_at = models.DateTimeField(null=True, blank=True, editable=False)
    listed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Lists are sorted by it: the last major edition's time.")
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=300, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    # Copied from the live document's Columns by publish(), so that lists never open a document.
    title = models.CharField(max_length=200, blank=True)
    summary = models.TextField(blank=True)
    picture = models.ForeignKey(Picture, models.PROTECT, null=True, blank=True, related_name="+")
    body_area = models.CharField(max_length=30, blank=True, choices=BodyArea)
    urgency = models.CharField(max_length=15, blank=True, choices=Urgency)
    other_names = models.JSONField(default=list, blank=True)
    words = models.PositiveIntegerField(default=0)
    syndicated = models.BooleanField(default=False)
    translation_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="translations"
    )
    seo_title = models.CharField(_("title for search engines"), max_length=120, blank=True)

    # Written by services.refresh_trust() only.
    trust = models.CharField(max_length=15, choices=Trust, default=Trust.NOT_REVIEWED)
    trust_until = models.DateField(null=True, blank=True)
    reviewed_on = models.DateField(null=True, blank=True)
    reviewer = models.ForeignKey(Contributor, models.PROTECT, null=True, blank=True, related_name="+")
    reviewer_name = models.CharField(max_length=250, blank=True)

    tags = TaggableManager(through=TaggedPublication, blank=True)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        indexes = [
            models.Index(fields=["kind", "-listed_at", "-id"], name="publication_listing"),
            models.Index(fields=["trust_until"], name="publication_trust_until"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "slug"],
                name="one_publication_per_slug",
                violation_error_message=_("Another page has this address. Choose a different one."),
            ),
            models.CheckConstraint(
                condition=Q(live=None) | (Q(first_published__isnull=False) & Q(listed_at__isnull=False)),
                name="live_publication_has_dates",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | (Q(live=None) & ~Q(withdrawn_reason="")),
                name="withdrawn_publication_has_reason",
            ),
        ]
        permissions: ClassVar = [
            ("publish_publication", "Can publish, schedule, withdraw and restore"),
            ("redact_publication", "Can redact a published text"),
            ("readdress_publication", "Can change the address and tags of what is live"),
        ]

    def __str__(self) -> str:
        return self.title or self.slug

    def get_absolute_url(self) -> str:
        from publishing.kinds import kinds

        return reverse(kinds[self.kind].url_name, args=[self.slug])

    @property
    def is_live(self) -> bool:
        return self.live_id is not None

    @property
    def is_withdrawn(self) -> bool:
        return self.live_id is None and self.first_published is not None

    def is_outdated_translation_of(self, original: Publication) -> bool:
        """Whether the original has had a major edition since this one's last; not before both were published."""
        return bool(self.listed_at and original.listed_at and original.listed_at > self.listed_at)

    @property
    def reading_minutes(self) -> int:
        """At 238 words a minute (Brysbaert 2019, silent reading of English non-fiction)."""
        return max(1, round(self.words / 238))


class FormerSlug(models.Model):
    """An address that a publication had once, so that old links still arrive."""

    kind = models.CharField(max_length=20)
    slug = models.SlugField(max_length=120)
    publication = models.ForeignKey(Publication, models.CASCADE, related_name="former_slugs")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "slug"], name="former_slug_leads_to_one_place")]

    def __str__(self) -> str:
        return self.slug


class FormerPath(models.Model):
    """An address on the site that a text was brought from; former_paths.py says how it is written and answered."""

    path = models.CharField(_("old address"), max_length=500, unique=True)
    publication = models.ForeignKey(Publication, models.CASCADE, related_name="former_paths")

    class Meta:
        ordering = ["path"]

    def __str__(self) -> str:
        return self.path


class FormerTag(models.Model):
    """The address of a tag that was renamed or merged."""

    slug = models.SlugField(max_length=100, unique=True, allow_unicode=True)
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="former_slugs")

    def __str__(self) -> str:
        return self.slug


class Contribution(models.Model):
    """Who wrote or reviewed what is live: the rows behind a person's page, made again with each edition."""

    class Role(models.TextChoices):
        AUTHOR = "author", _("Author")
        REVIEWER = "reviewer", _("Medical reviewer")

    publication = models.ForeignKey(Publication, models.CASCADE, related_name="contributions")
    contributor = models.ForeignKey(Contributor, models.PROTECT, related_name="contributions")
    role = models.CharField(max_length=10, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "contributor", "role"], name="contribution_once_a_role")
        ]


class MentionQuerySet(models.QuerySet["Mention"]):
    def outdated(self) -> MentionQuerySet:
        """Mentions in live articles that show an older text of a condition than its last major edition.

        Moving their pins is a task of review (rule 4).
        """
        newer = Edition.objects.filter(
            publication=models.OuterRef("condition"),
            level=Level.MAJOR,
            number__gt=models.OuterRef("edition__number"),
            number__lte=models.OuterRef("condition__live__number"),
        )
        return self.filter(models.Exists(newer), publication__live__isnull=False)


class Mention(models.Model):
    """A live article names a condition, at a position, showing the text of one of its editions."""

    publication = models.ForeignKey(Publication, models.CASCADE, related_name="mentions")
    condition = models.ForeignKey(Publication, models.CASCADE, related_name="mentioned_in")
    edition = models.ForeignKey("Edition", models.PROTECT, null=True, related_name="+")
    position = models.PositiveIntegerField()

    objects = MentionQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["publication", "position"], name="one_mention_per_position"),
        ]


# --- What readers tell us ---------------------------------------------------------------------------------------


class Report(models.Model):
    """A reader reports a problem with a page. Who they are is known only if they left a mail address."""

    class Subject(models.TextChoices):
        WRONG = "wrong", _("Something is wrong or out of date")
        UNCLEAR = "unclear", _("Something is hard to understand")
        BROKEN = "broken", _("Something does not work or cannot be used")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        NEW = "new", _("New")
        AT_WORK = "at-work", _("Somebody is looking into it")
        DONE = "done", _("Done")

    path = models.CharField(_("page"), max_length=500)
    publication = models.ForeignKey(
        Publication, models.CASCADE, null=True, blank=True, related_name="reports", verbose_name=_("text")
    )
    edition = models.PositiveIntegerField(_("edition"), null=True, blank=True)
    subject = models.CharField(_("what it is about"), max_length=10, choices=Subject)
    text = models.TextField(_("what the reader wrote"))
    address = models.CharField(_("mail address"), max_length=254, blank=True)
    network = models.CharField(max_length=50, blank=True)
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.NEW)
    outcome = models.TextField(
        _("what came of it"),
        blank=True,
        help_text=_("For your colleagues: what you changed, or why nothing was."),
    )
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    done_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by"))

    class Meta:
        verbose_name = _("report from a reader")
        verbose_name_plural = _("reports from readers")
        ordering = ["-sent_at", "-pk"]
        indexes = [models.Index(fields=["network", "-sent_at"], name="report_network")]

    def __str__(self) -> str:
        return f"{self.get_subject_display()}: {self.path}"


# --- The record: never changed ---------------------------------------------------------------------------------


class StoredDocument(models.Model):
    """Canonical text under its fingerprint, shared by every snapshot and edition of the same words."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=20)
    canonical = models.TextField()
    stored_at = models.DateTimeField(default=timezone.now)
    pictures = models.ManyToManyField(Picture, through="StoredPicture")

    class Meta:
        constraints = [
            Immutable(
                name="stored_document_immutable",
                deletable_if="EXISTS (SELECT 1 FROM publishing_redaction r WHERE r.fingerprint = OLD.fingerprint)",
            )
        ]

    def __str__(self) -> str:
        return self.fingerprint

    def read(self) -> Document:
        from publishing.kinds import kinds

        return kinds[self.kind].document.read(self.canonical)


class StoredPicture(models.Model):
    """A stored document shows a picture, which is protected by it."""

    document = models.ForeignKey(StoredDocument, models.CASCADE)
    picture = models.ForeignKey(Picture, models.PROTECT, related_name="stored_in")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "picture"], name="stored_picture_once")]


class Fingerprinted(models.Model):
    """A row that names a stored document by its fingerprint: no foreign key, for a redaction takes the text away
    and leaves the row."""

    fingerprint = models.CharField(max_length=64, db_index=True)

    class Meta:
        abstract = True

    def document(self) -> Document:
        """The document. Raises Redacted where its text was taken away."""
        stored = StoredDocument.objects.filter(pk=self.fingerprint).first()
        if stored is None:
            raise Redacted(Redaction.objects.filter(fingerprint=self.fingerprint).order_by("-pk").first())
        return stored.read()


class Redacted(Exception):
    """The text was taken away by a redaction, which says why and when."""

    def __init__(self, redaction: Redaction | None) -> None:
        super().__init__("redacted")
        self.redaction = redaction


class Snapshot(Fingerprinted):
    """A text that is not public: sent for review, about to be published, scheduled, shared, or kept as history."""

    class Purpose(models.TextChoices):
        REVIEW = "review", _("Sent for review")
        PUBLISH = "publish", _("Published")
        SCHEDULE = "schedule", _("Scheduled")
        LINK = "link", _("Shared by link")
        HISTORY = "history", _("Kept as history")

    publication = models.ForeignKey(Publication, models.CASCADE, related_name="snapshots")
    purpose = models.CharField(max_length=10, choices=Purpose)
    note = models.CharField(max_length=300, blank=True)
    taken_at = models.DateTimeField(default=timezone.now)
    taken_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    taken_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-taken_at", "-pk"]
        constraints = [Immutable(name="snapshot_immutable")]

    def __str__(self) -> str:
        return f"{self.publication} ({self.get_purpose_display()}, {self.taken_at:%Y-%m-%d %H:%M})"


class Edition(Fingerprinted):
    """A text that was published."""

    publication = models.ForeignKey(Publication, models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField()
    level = models.CharField(max_length=5, choices=Level)
    note = models.CharField(_("what changed"), max_length=500, blank=True)
    published_at = models.DateTimeField(default=timezone.now)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["publication", "number"], name="edition_numbers_are_unique"),
            models.CheckConstraint(condition=Q(number__gt=1) | Q(level="major"), name="first_edition_is_major"),
            Immutable(name="edition_immutable"),
        ]

    def __str__(self) -> str:
        return f"{self.publication}, edition {self.number}"


class SignOff(Fingerprinted):
    """A clinician approved these words. It covers this text and later minor editions, up to the next major one."""

    publication = models.ForeignKey(Publication, models.PROTECT, related_name="sign_offs")
    reviewer = models.ForeignKey(Contributor, models.PROTECT, related_name="sign_offs")
    reviewer_name = models.CharField(max_length=250)
    statement = models.CharField(max_length=500)
    signed_at = models.DateTimeField(default=timezone.now)
    # Nobody's account where the sign-off came with an export: accounts stay on the site that it was made from.
    signed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    valid_until = models.DateField()

    class Meta:
        verbose_name = _("sign-off")
        verbose_name_plural = _("sign-offs")
        ordering = ["-signed_at", "-pk"]
        constraints = [Immutable(name="sign_off_immutable")]

    def __str__(self) -> str:
        return f"{self.reviewer_name}, {self.signed_at:%Y-%m-%d}"


class Revocation(models.Model):
    """A sign-off is taken back; the sign-off itself stays on record."""

    sign_off = models.OneToOneField(SignOff, models.PROTECT, related_name="revocation")
    reason = models.CharField(max_length=300)
    revoked_at = models.DateTimeField(default=timezone.now)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    revoked_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [Immutable(name="revocation_immutable")]

    def __str__(self) -> str:
        return self.reason


class Redaction(models.Model):
    """A stored text is taken away for good, by order of a court or for somebody's privacy."""

    fingerprint = models.CharField(max_length=64, db_index=True)
    reason = models.CharField(_("reason, shown to the public"), max_length=300)
    redacted_at = models.DateTimeField(default=timezone.now)
    redacted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    redacted_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [Immutable(name="redaction_immutable")]

    def __str__(self) -> str:
        return self.reason


class Schedule(models.Model):
    """A snapshot that becomes an edition at its time, unless something has changed since it was planned."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        DONE = "done", _("Published")
        BLOCKED = "blocked", _("Blocked")
        CANCELLED = "cancelled", _("Cancelled")

    snapshot = models.OneToOneField(Snapshot, models.PROTECT, related_name="schedule")
    publication = models.ForeignKey(Publication, models.CASCADE, related_name="schedules")
    due_at = models.DateTimeField(_("due"))
    level = models.CharField(max_length=5, choices=Level)
    note = models.CharField(max_length=500, blank=True)
    planned_at = models.DateTimeField(default=timezone.now)
    planned_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    planned_by_name = models.CharField(max_length=150, blank=True)
    live_when_planned = models.ForeignKey(Edition, models.PROTECT, null=True, related_name="+")
    findings_when_planned = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["due_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["publication"], condition=Q(state="planned"), name="one_plan_per_publication"
            ),
            models.CheckConstraint(condition=~Q(state="blocked") | ~Q(reason=""), name="blocked_plan_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.publication}: {self.get_state_display()} {self.due_at:%Y-%m-%d %H:%M}"


# --- Drafts: what an editor works on ---------------------------------------------------------------------------


class Draft(models.Model):
    """The base of what an editor works on: rows behind an admin form, from which a document is built.

    `version` rises with every save; a form that was opened at an older one is refused (services.claim_version).
    """

    KIND: ClassVar[str]

    publication = models.OneToOneField(Publication, models.PROTECT, editable=False, related_name="%(class)s")
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    changed_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        abstract = True

    def build(self) -> Document:
        """The document of the draft as it is saved. Never fails for what is missing: findings say that."""
        raise NotImplementedError

    def load(self, document: Any) -> None:
        """Replace the draft's rows by what the document says, and save them."""
        raise NotImplementedError


class Part(models.Model):
    """An ordered part of a draft. Its UUID is its identity in documents; its position is renumbered on save."""

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        abstract = True
        ordering = ["position", "pk"]


def picture_value(picture: Picture | None) -> PictureValue | None:
    """A picture's bytes and words as they are now, as a document keeps them."""
    if picture is None:
        return None
    return PictureValue(
        content_hash=picture.content_hash,
        extension=picture.extension,
        width=picture.width,
        height=picture.height,
        focal_x=picture.focal_x,
        focal_y=picture.focal_y,
        alt=picture.alt,
        caption=picture.caption,
        credit=picture.credit,
    )


class Disclosed(models.Model):
    """Fields of a draft that say where a text comes from and who paid for it."""

    origin_name = models.CharField(_("first published by"), max_length=200, blank=True)
    origin_url = models.URLField(_("original web address"), max_length=500, blank=True)
    origin_title = models.CharField(_("original title"), max_length=300, blank=True)
    origin_author = models.CharField(_("original author"), max_length=200, blank=True)
    origin_published = models.DateField(_("originally published"), null=True, blank=True)
    origin_licence = models.CharField(
        _("licence or permission"), max_length=200, blank=True, help_text=_("On what terms it is shown here.")
    )
    funding = models.CharField(
        _("funding"), max_length=300, blank=True, help_text=_("Who paid for it. Write “None” if nobody did.")
    )
    conflicts = models.CharField(
        _("conflicts of interest"),
        max_length=300,
        blank=True,
        help_text=_("Of the authors. Write “None” if none."),
    )
    ai = models.CharField(
        _("use of AI"), max_length=300, blank=True, help_text=_("What a program wrote, and who checked it.")
    )

    class Meta:
        abstract = True

    def origin(self) -> Origin | None:
        if not (self.origin_name or self.origin_url):
            return None
        return Origin(
            name=self.origin_name,
            url=self.origin_url,
            title=self.origin_title,
            author=self.origin_author,
            published=self.origin_published.isoformat() if self.origin_published else "",
            licence=self.origin_licence,
        )
