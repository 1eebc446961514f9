"""What people send us: the form on every page, and what they choose to get."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from taggit.models import Tag

from newsletter import addresses, words
from newsletter.models import Subscriber
from publishing.models import FormerTag, Publication


class SubscribeForm(forms.Form):
    """The sign-up form. Its HTML is in templates/includes/subscribe.html, the same for every visitor."""

    address = forms.CharField(max_length=254, error_messages={"required": _("Write your mail address.")})
    language = forms.CharField(required=False)
    words_version = forms.CharField()
    # People do not see this field; most robots fill in whatever is called so.
    website = forms.CharField(required=False)

    def clean_address(self) -> str:
        address = addresses.tidy(self.cleaned_data["address"])
        # A machine of our own network (name@localhost, name@[10.0.0.1]) gets no mail by a stranger's wish.
        if "." not in address.rpartition("@")[2] or address.endswith("]"):
            raise ValidationError(_("This is not a mail address. It looks like name@example.org."))
        return address

    def clean_language(self) -> str:
        return words.known_language(self.cleaned_data["language"])

    def clean_words_version(self) -> str:
        version: str = self.cleaned_data["words_version"]
        if version not in words.VERSIONS:
            raise ValidationError(_("This page was out of date. Please read the lines below the address again."))
        return version


class ChoicesForm(forms.Form):
    """What a subscriber gets. Topics are those of live articles, and those that the person has."""

    ALL, SOME = "all", "some"

    frequency = forms.ChoiceField(choices=Subscriber.Frequency.choices)
    scope = forms.ChoiceField(choices=[(ALL, _("All topics")), (SOME, _("Only the topics that I choose"))])
    topics = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, subscriber: Subscriber, **kwargs: Any) -> None:
        options, chosen = topic_options(set(subscriber.topics.values_list("slug", flat=True)))
        kwargs["initial"] = {
            "frequency": subscriber.frequency,
            "scope": self.SOME if subscriber.has_topics else self.ALL,
            "topics": chosen,
        }
        super().__init__(*args, **kwargs)
        topics = self.fields["topics"]
        assert isinstance(topics, forms.MultipleChoiceField)
        topics.choices = options

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        if cleaned.get("scope") == self.SOME and not cleaned.get("topics") and "topics" not in self.errors:
            self.add_error("topics", _("Choose at least one topic, or all topics."))
        return cleaned


def topic_options(chosen: set[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The topics to choose from as (slug, name), and which of them a person has.

    Takes the slugs that the person has, which may be those of renamed or merged tags. A topic of theirs without a
    live article stays among the options: saving the page does not lose it.
    """
    now = dict(FormerTag.objects.filter(slug__in=chosen).values_list("slug", "tag__slug"))
    current = {now.get(slug, slug) for slug in chosen}
    live = Publication.objects.live().of_kind("article")
    tags = Tag.objects.filter(tagged_publications__content_object__in=live) | Tag.objects.filter(slug__in=current)
    options = list(tags.distinct().order_by("name").values_list("slug", "name"))
    options += [(slug, slug) for slug in sorted(current - {slug for slug, _name in options})]
    return options, sorted(current)
