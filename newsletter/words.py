"""The words that people agree to beside the form, exactly as shown.

A consent keeps the words with their version. To change them, add a version above: pages that a browser or a cache
still shows send the older one, and what they showed is what is recorded. They are not translated like other texts,
because a translation may be corrected at any time, and the record of what was shown may not.
"""

from __future__ import annotations

from django.conf import settings

# The newest first.
VERSIONS = {
    "2026-11": {
        "en": (
            "By subscribing you agree that we keep your address and send you mail about new and corrected articles. "
            "You can stop it at any time with one click. We do not record what you open or read."
        ),
        "de": (
            "Mit dem Abonnieren stimmen Sie zu, dass wir Ihre Adresse speichern und Ihnen Nachrichten über neue und "
            "korrigierte Artikel senden. Sie können das jederzeit mit einem Klick beenden. Wir zeichnen nicht auf, "
            "was Sie öffnen oder lesen."
        ),
    },
}
CURRENT = next(iter(VERSIONS))


def words(language: str, version: str = CURRENT) -> str:
    """What the form says in a language (English where there is no translation). Raises KeyError for no such version."""
    of_version = VERSIONS[version]
    return of_version.get(language) or of_version.get(language.partition("-")[0]) or of_version["en"]


def known_language(language: str) -> str:
    """The language, or the site's own where the site does not have it."""
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
