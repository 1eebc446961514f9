"""The admin of the newsletter: what is sent, and to whom."""

from newsletter.admin import issues as issues  # registered when the admin discovers this package
