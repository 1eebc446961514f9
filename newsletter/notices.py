"""What the mails say that are no issue: each answers something that was done on the site.

No word in the first two comes from whoever filled in the form, and none of them names a topic.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter import words
from newsletter.links import Purpose as Link
from newsletter.models import Delivery

Purpose = Delivery.Purpose


@dataclass(frozen=True)
class Notice:
    """The words of a notice. `link` is the page its one button leads to, `quote` what is agreed to, exactly as shown
    beside the form."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    link: Link
    button: str
    afterwards: tuple[str, ...]
    reason: str
    quote: str = ""
    to_subscriber: bool = True


def notice(purpose: Purpose, *, site: str, language: str) -> Notice:
    """The words of a notice, in the language that is active. Takes the name of the site.

    Raises KeyError for an issue or a test of one.
    """
    names = {"site": site}
    typed = _("You get this mail because this address was typed into the form of %(site)s.") % names
    pressed = _("You get this mail because it was asked for on the page where you choose what %(site)s sends you.")
    unasked = _("You did not ask for it? Then leave this mail alone: without the button nothing happens.")
    secret = _("Do not pass this mail on: the button works for everyone who has it, for 24 hours.")
    match purpose:
        case Purpose.CONFIRM:
            return Notice(
                subject=_("Please confirm: mail from %(site)s") % names,
                heading=_("Is this your address?"),
                paragraphs=(
                    _("Somebody, probably you, asked %(site)s to send mail here. Please confirm that you want it.")
                    % names,
                ),
                quote=words.words(language),
                link=Link.CONFIRM,
                button=_("Confirm my address"),
                afterwards=(
                    _("The button works for 30 days. An address that was never confirmed is deleted then."),
                    _("You did not ask for it? Then do nothing. At most one reminder comes, and nothing after it."),
                ),
                reason=typed,
                to_subscriber=False,
            )  # fmt: skip
        case Purpose.REMIND:
            return Notice(
                subject=_("A reminder: mail from %(site)s") % names,
                heading=_("Do you still want our mail?"),
                paragraphs=(
                    _("A few days ago somebody, probably you, asked %(site)s to send mail here. It has not been "
                      "confirmed yet.") % names,
                ),
                quote=words.words(language),
                link=Link.CONFIRM,
                button=_("Confirm my address"),
                afterwards=(
                    _("You do not want it, or never asked? Then do nothing. We do not write again, and within four "
                      "weeks the address is deleted."),
                ),
                reason=typed,
                to_subscriber=False,
            )  # fmt: skip
        case Purpose.ALREADY:
            return Notice(
                subject=_("Your subscription to %(site)s") % names,
                heading=_("You are subscribed already"),
                paragraphs=(
                    _("Somebody, probably you, typed this address into the form of %(site)s. It is subscribed, so "
                      "nothing has changed.") % names,
                    _("If mail is missing, look for it among spam. Or choose here what you get, and how often."),
                ),
                link=Link.CHOICES,
                button=_("Choose what I get"),
                afterwards=(
                    _("It was not you? Then leave this mail alone. Nobody was told that you are subscribed."),
                ),
                reason=typed,
            )  # fmt: skip
        case Purpose.EXPORT:
            return Notice(
                subject=_("Your data at %(site)s") % names,
                heading=_("Your data"),
                paragraphs=(_("Here you can download everything that %(site)s keeps about you.") % names,),
                link=Link.EXPORT,
                button=_("Download my data"),
                afterwards=(secret, unasked),
                reason=pressed % names,
            )
        case Purpose.ERASE:
            return Notice(
                subject=_("Erasing your data at %(site)s") % names,
                heading=_("Erase your data?"),
                paragraphs=(
                    _("Press the button, and confirm on the page that opens, to erase everything that %(site)s keeps "
                      "about you. This cannot be undone.") % names,
                    _("Only a code is kept that your address cannot be read from, so that we do not write to you "
                      "again."),
                ),
                link=Link.ERASE,
                button=_("Erase my data"),
                afterwards=(secret, unasked),
                reason=pressed % names,
            )  # fmt: skip
        case _:
            raise KeyError(purpose)
