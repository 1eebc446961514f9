"""The admin of what all rooms share; other rooms build theirs on `publishing.admin.drafts`."""

from publishing.admin import reference as reference  # registered when the admin discovers this package
from publishing.admin import reports as reports
