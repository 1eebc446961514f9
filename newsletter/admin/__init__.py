"""The admin of the newsletter: what is sent, and to whom."""

# Registered when the admin discovers this package.
from newsletter.admin import issues as issues
from newsletter.admin import subscribers as subscribers
